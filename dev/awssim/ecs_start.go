package awssim

import (
	"context"
	"fmt"
	"strings"
)

// pull tries to get an image as the task's execution role. Images of other registries are
// taken for granted: the simulator holds none.
func (c *Call) pull(ctx context.Context, definition *thing, image string) (string, error) {
	account, region, repository, reference, ours := splitImage(image)
	if !ours {
		if image == "" || strings.ContainsAny(image, " \t") {
			return fmt.Sprintf("CannotPullContainerError: invalid reference format: %q", image), nil
		}
		return "", nil
	}
	const cannot = "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref "
	repo, err := c.thing(ctx, account, region, ecrRepository, repository)
	if err != nil {
		return "", err
	}
	if repo == nil {
		return cannot + image + ": " + image + ": not found", nil
	}
	if why, err := c.mayPull(ctx, definition, repo); err != nil || why != "" {
		return why, err
	}
	found, err := c.image(ctx, repo, reference)
	if err != nil {
		return "", err
	}
	if found == nil {
		return cannot + image + ": " + image + ": not found", nil
	}
	return "", nil
}

// mayPull asks the execution role's policies, and for another account's repository also the
// repository's own.
func (c *Call) mayPull(ctx context.Context, definition, repo *thing) (string, error) {
	account, path, name, ok := splitRoleARN(textOf(definition.Properties["ExecutionRoleArn"]))
	if !ok {
		return "Fargate requires task definition to have execution role ARN to support ECR images.", nil
	}
	p := asRole(account, path, name, "ecs-task", "")
	for _, action := range []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"} {
		q := c.question(p, action, repo.ARN, keys{"aws:RequestedRegion": one(repo.Region)})
		why, err := c.refusalOf(ctx, q)
		if err != nil {
			return "", err
		}
		if why == "" && account != repo.Account {
			says, err := repositoryPolicy(repo, q)
			if err != nil {
				return "", err
			}
			if says != allows {
				why = "because no resource-based policy allows the " + action + " action"
			}
		}
		if why != "" {
			return fmt.Sprintf("CannotPullContainerError: AccessDeniedException: User: %s is not authorized to perform: %s on resource: %s %s", p.ARN, action, repo.ARN, why), nil
		}
	}
	return "", nil
}

// handOver tries to get a secret that a container is given by value. Other sources than
// Secrets Manager are taken for granted.
func (c *Call) handOver(ctx context.Context, definition *thing, from string) (string, error) {
	parts := strings.Split(from, ":")
	if len(parts) < 7 || parts[2] != "secretsmanager" {
		return "", nil
	}
	a := strings.Join(parts[:7], ":") // what follows chooses a key of its JSON
	const cannot = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: "
	account, path, name, ok := splitRoleARN(textOf(definition.Properties["ExecutionRoleArn"]))
	if !ok {
		return cannot + "the task definition has no execution role", nil
	}
	q := c.question(asRole(account, path, name, "ecs-task", ""), "secretsmanager:GetSecretValue", a, keys{"aws:RequestedRegion": one(definition.Region)})
	why, err := c.refusalOf(ctx, q)
	if err != nil {
		return "", err
	}
	if why != "" {
		return fmt.Sprintf("%sAccessDeniedException: User: %s is not authorized to perform: secretsmanager:GetSecretValue on resource: %s %s", cannot, q.principal.ARN, a, why), nil
	}
	versions, err := c.secretVersions(ctx, a)
	if err != nil {
		return "", err
	}
	if len(versions) == 0 {
		return cannot + "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSCURRENT", nil
	}
	return "", nil
}
