package blueprint

import "testing"

// FuzzParse feeds anything to the parser; whatever it accepts must survive every other step.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"Resources: {A: {Type: AWS::SNS::Topic}}",
		"Resources:\n  A: &a\n    Type: AWS::SNS::Topic\n    Properties: {TopicName: !Sub 'x-${AWS::Region}'}\n  B: *a\n",
		"Conditions: {C: !Not [!Equals [a, b]]}\nResources: {A: {Type: AWS::SNS::Topic, Condition: C, Properties: {Tags: [!If [C, {Key: a, Value: !Select [0, !Split [',', 'a,b']]}, !Ref AWS::NoValue]]}}}",
		"Resources: {A: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !Select [1, !Cidr [10.0.0.0/8, 4, 8]]}}}\nOutputs: {O: {Value: !GetAtt A.VpcId}}",
		`{"Resources": {"A": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Join": ["-", ["a", {"Ref": "AWS::AccountId"}]]}}}}}`,
		"a: &a [*a]", "Resources: {A: !Ref}", "Mappings: {M: {a: {b: c}}}\nResources: {A: {Type: !FindInMap [M, a, b]}}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		tpl, err := Parse(src)
		if err != nil {
			return
		}
		tpl.Check()
		tpl.NeedsIAM()
		r, err := tpl.Resolve(Inputs{Region: "eu-west-1", StackName: "s"})
		if err != nil {
			return
		}
		if changes := Diff(r, r); len(changes) > 0 {
			t.Errorf("a template differs from itself: %+v", changes)
		}
		Diff(nil, r)
		Diff(r, nil)
	})
}
