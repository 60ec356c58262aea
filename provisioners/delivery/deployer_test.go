package delivery_test

import (
	"context"
	"encoding/json"

	"slipway/models"
	"slipway/provisioners"
)

// deployer is the provisioner of deployments: its one step brings the image in, once.
type deployer struct {
	s *site
}

func (deployer) Kind() models.RequestKind { return models.DeployEnvironment }

func (deployer) Plan(context.Context, provisioners.Planning) (provisioners.Draft, error) {
	return provisioners.Draft{Parts: []models.PlanPart{{Name: "Account", Changes: []models.Change{{Step: "deploy", LogicalID: "Service", Type: "AWS::ECS::Service", Action: models.Modify}}}}}, nil
}

func (d deployer) Steps(p models.Plan) ([]provisioners.Step, error) {
	var in models.EnvironmentInputs
	if err := json.Unmarshal(p.Content.Inputs, &in); err != nil {
		return nil, err
	}
	return []provisioners.Step{{Name: "deploy", Title: "Deploy",
		Find: func(_ context.Context, r *provisioners.Run) (provisioners.Result, error) {
			if d.s.breaks {
				return provisioners.Result{}, provisioners.Final{Failure: models.Failure{What: "The tasks do not start."}}
			}
			if get[string](d.s, `SELECT image FROM environments WHERE id = $1`, r.ObjectID) == in.Image {
				return provisioners.Result{Found: provisioners.Present}, nil
			}
			return provisioners.Result{Found: provisioners.Absent}, nil
		},
		Start: func(_ context.Context, r *provisioners.Run) error {
			d.s.cloud.mu.Lock()
			d.s.cloud.deployed++
			d.s.cloud.mu.Unlock()
			d.s.exec(`UPDATE environments SET image = $2 WHERE id = $1`, r.ObjectID, in.Image)
			return nil
		}}}, nil
}
