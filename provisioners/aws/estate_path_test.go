package aws

import (
	"fmt"
	"strings"

	"slipway/models"
	"slipway/models/blueprint"
)

// notes is a golden path of the tests' own: small, with something that is replaced, something that comes with an image and something
// that sleeps.
const notesTemplate = `AWSTemplateFormatVersion: "2010-09-09"
Description: A place for notes
Parameters:
  Name: {Type: String}
  Stage: {Type: String}
  Suffix: {Type: String, Default: one}
  Days: {Type: Number, Default: 30}
  Image: {Type: String, Default: ""}
  Hibernated: {Type: String, Default: "false", AllowedValues: ["true", "false"]}
%s
Conditions:
  Awake: !And [!Not [!Equals [!Ref Image, ""]], !Equals [!Ref Hibernated, "false"]]
Resources:
  Log:
    Type: AWS::Logs::LogGroup
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
      LogGroupName: !Sub /slipway/${Name}-${Suffix}
      RetentionInDays: !Ref Days
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      DisplayName: !Sub "Notes of ${Name} ${Stage}"
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Condition: Awake
    Properties:
      AlarmDescription: !Sub "runs ${Image} and keeps ${Days} days"
      ComparisonOperator: GreaterThanThreshold
      EvaluationPeriods: 1
      MetricName: Errors
      Namespace: Notes
      Period: 60
      Statistic: Sum
      Threshold: 1
      AlarmActions: [!Ref Topic]
%s
Outputs:
  TopicArn: {Value: !Ref Topic, Description: Where notes go}
  LogName: {Value: !Ref Log, Description: Where notes are kept}
`

const (
	moreParameters = `  Colour: {Type: String, Default: blue}
`
	moreResources = `  Second:
    Type: AWS::SNS::Topic
    Properties:
      DisplayName: !Ref Colour
`
)

const notesMeta = `id: notes
version: %s
kind: environment
title: Notes
description: A place for notes, for tests.
icon: globe
stages: [dev, staging, prod]
needs: [service]
upgradeFrom: [%s]
inputs:
  $schema: https://json-schema.org/draft/2020-12/schema
  type: object
  additionalProperties: false
  required: []
  properties:
    Suffix: {type: string, title: Suffix, description: Of the log's name, default: one, pattern: "^[a-z]{1,10}$"}
    Days: {type: integer, title: Days, description: How long notes are kept, default: 30, minimum: 1, maximum: 365}
%s
given: {Name: environment.name, Stage: environment.stage, Image: image, Hibernated: hibernated}
outputs: {TopicArn: Where notes go, LogName: Where notes are kept}
cost:
  usage:
    S: {logs_ingested_gb: "1"}
`

// notesPath saves the path's two versions; longer makes their templates so much longer.
func (e *estate) notesPath(longer ...int) {
	e.t.Helper()
	padding := ""
	for _, n := range longer {
		padding = strings.Repeat("# for the length of it\n", n/23+1)
	}
	report := blueprint.Report{Origin: blueprint.Directory}
	for version, p := range map[string]struct{ from, parameters, resources, inputs string }{
		"1.0.0": {}, "1.1.0": {"1.0.0", moreParameters, moreResources, `    Colour: {type: string, title: Colour, description: Of the second topic, default: blue}`}} {
		files := map[string][]byte{blueprint.TemplateFile: []byte(padding + fmt.Sprintf(notesTemplate, p.parameters, p.resources)), blueprint.MetaFile: []byte(fmt.Sprintf(notesMeta, version, p.from, p.inputs))}
		v, problems := blueprint.Checker{}.Check("notes", version, files)
		if errs := blueprint.Errors(problems); len(errs) > 0 {
			e.t.Fatalf("the tests' own path: %v", errs)
		}
		report.Folders = append(report.Folders, blueprint.Folder{Name: v.Name, Version: v.Version, Content: v, Problems: problems})
	}
	e.blueprints(report)
}

// notesEnvironment orders one of the first version.
func (e *estate) notesEnvironment(name string, change ...func(*models.EnvironmentInputs)) string {
	e.t.Helper()
	in := models.EnvironmentInputs{Name: name, Stage: models.Dev, Region: "eu-west-1", Blueprint: "notes", Version: "1.0.0", Service: "notes", Days: 30}
	for _, c := range change {
		c(&in)
	}
	return e.wants(e.store.RequestEnvironment(e.t.Context(), e.asker, "payments", e.key(), in, ""))
}

// change asks for something about an environment.
func (e *estate) change(name string, kind models.RequestKind, in models.EnvironmentInputs) string {
	e.t.Helper()
	return e.wants(e.store.ChangeEnvironment(e.t.Context(), e.asker, "payments", name, kind, e.key(), in))
}
