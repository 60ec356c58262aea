package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/jackc/pgx/v5"
)

// commit is one of a repository.
type commit struct {
	ID, Repository, Branch string
	Author, Email, Message string
	Paths                  []string // what it changes; empty: everything
	At                     time.Time
}

// commits are a branch's, the newest first.
func (c *Call) commits(ctx context.Context, repository, branch string) ([]*commit, error) {
	rows, err := c.Tx.Query(ctx, `SELECT body FROM commits WHERE repository = $1 AND branch = $2 ORDER BY seq DESC LIMIT 200`, repository, branch)
	if err != nil {
		return nil, fmt.Errorf("read commits of %s: %w", repository, err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[*commit])
	if err != nil {
		return nil, fmt.Errorf("read commits of %s: %w", repository, err)
	}
	return all, nil
}

func (c *Call) putCommit(ctx context.Context, m *commit) error {
	if _, err := c.Tx.Exec(ctx, `INSERT INTO commits (repository, branch, id, body) VALUES ($1, $2, $3, $4)`, m.Repository, m.Branch, m.ID, m); err != nil {
		return fmt.Errorf("store commit %s: %w", m.ID, err)
	}
	return nil
}

func commitID(names ...string) string {
	rnd := random(names...)
	return fmt.Sprintf("%016x%016x%08x", rnd.Uint64(), rnd.Uint64(), rnd.Uint32())
}

// head is a branch's newest commit; nobody pushed to a new one but who began it.
func (c *Call) head(ctx context.Context, repository, branch string, at time.Time) (*commit, error) {
	all, err := c.commits(ctx, repository, branch)
	if err != nil {
		return nil, err
	}
	if len(all) > 0 {
		return all[0], nil
	}
	m := &commit{ID: commitID(repository, branch), Repository: repository, Branch: branch, Author: "Ines Okafor", Email: "ines.okafor@example.com", Message: "Begin " + repository[strings.LastIndexByte(repository, '/')+1:], At: at.Add(-24 * time.Hour)}
	return m, c.putCommit(ctx, m)
}

// fetchSource fetches what a source action names; a refusal fails the action.
func (c *Call) fetchSource(ctx context.Context, e *execution, a *cptypes.ActionDeclaration, t *try, at time.Time) error {
	switch aws.ToString(a.ActionTypeId.Provider) {
	case "CodeStarSourceConnection":
		return c.fetchCommit(ctx, e, a, t, at)
	case "ECR":
		return c.fetchImage(ctx, e, t, at)
	}
	t.Revision = &revision{ID: e.Overrides[t.Action]}
	if t.Revision.ID == "" {
		t.Revision.ID = commitID(e.ID, t.Action)
	}
	return nil
}

func (c *Call) fetchCommit(ctx context.Context, e *execution, a *cptypes.ActionDeclaration, t *try, at time.Time) error {
	id, repository, branch := t.Config["ConnectionArn"], t.Config["FullRepositoryId"], t.Config["BranchName"]
	connection, err := c.byARN(ctx, codeConnection, id)
	if err != nil {
		return err
	}
	why, err := c.actorMay(ctx, e.actor(a), "codeconnections:UseConnection", id, keys{"codeconnections:FullRepositoryId": one(repository)})
	switch {
	case err != nil:
		return err
	case connection == nil:
		t.failed(at, "ConfigurationError", "No connection found with ARN: "+id)
		return nil
	case why != "":
		t.failed(at, "PermissionError", "Unable to use Connection: "+id+". The provided role does not have sufficient permissions.")
		return nil
	case connectionStatus(connection) != "AVAILABLE":
		t.failed(at, "ConfigurationError", fmt.Sprintf("Unable to use Connection: %s. The connection is in status %s and must be AVAILABLE.", id, connectionStatus(connection)))
		return nil
	}
	m, err := c.wanted(ctx, e, t, repository, branch, at)
	if err != nil {
		return err
	}
	if m == nil {
		t.failed(at, "ConfigurationError", fmt.Sprintf("[%s] No commit %s found for FullRepositoryName [%s] on branch [%s]", textOf(connection.Properties["ProviderType"]), e.Overrides[t.Action], repository, branch))
		return nil
	}
	t.Outputs = map[string]string{"AuthorDate": m.At.UTC().Format(time.RFC3339), "AuthorDisplayName": m.Author, "AuthorEmail": m.Email, "AuthorId": strings.ToLower(strings.ReplaceAll(m.Author, " ", "-")),
		"BranchName": branch, "CommitId": m.ID, "CommitMessage": m.Message, "ConnectionArn": id, "FullRepositoryName": repository}
	summary, err := json.Marshal(map[string]string{"ProviderType": textOf(connection.Properties["ProviderType"]), "CommitMessage": m.Message})
	if err != nil {
		return fmt.Errorf("revision of %s: %w", repository, err)
	}
	q := url.Values{"connectionArn": {id}, "referenceType": {"COMMIT"}, "FullRepositoryId": {repository}, "Commit": {m.ID}}
	t.Revision = &revision{ID: m.ID, Summary: string(summary), URL: "https://" + e.Region + ".console.aws.amazon.com/codesuite/settings/connections/redirect?" + q.Encode()}
	return nil
}

// wanted is the commit an execution is of: the one it was started with, the one that was pushed,
// or the newest.
func (c *Call) wanted(ctx context.Context, e *execution, t *try, repository, branch string, at time.Time) (*commit, error) {
	if id := e.Overrides[t.Action]; id != "" {
		all, err := c.commits(ctx, repository, branch)
		for _, m := range all {
			if m.ID == id {
				return m, nil
			}
		}
		return nil, err
	}
	if m := e.Commit; m != nil && m.Repository == repository && m.Branch == branch {
		return m, nil
	}
	return c.head(ctx, repository, branch, at)
}

// fetchImage looks up the image of a tag, or the digest the execution was started with.
func (c *Call) fetchImage(ctx context.Context, e *execution, t *try, at time.Time) error {
	name, tag := t.Config["RepositoryName"], t.Config["ImageTag"]
	if tag == "" {
		tag = "latest"
	}
	reference := tag
	if digest := e.Overrides[t.Action]; digest != "" {
		reference = digest
	}
	repo, err := c.thing(ctx, e.Account, e.Region, ecrRepository, name)
	if err != nil {
		return err
	}
	a := arn("ecr", e.Region, e.Account, "repository/"+name)
	why, err := c.actorMay(ctx, e.actor(nil), "ecr:DescribeImages", a, nil)
	switch {
	case err != nil:
		return err
	case why != "":
		t.failed(at, "PermissionError", why)
		return nil
	case repo == nil:
		t.failed(at, "ConfigurationError", fmt.Sprintf("The repository with name '%s' does not exist in the registry with id '%s'", name, e.Account))
		return nil
	}
	i, err := c.image(ctx, repo, reference)
	if err != nil {
		return err
	}
	if i == nil {
		t.failed(at, "ConfigurationError", fmt.Sprintf("The image with tag '%s' does not exist in the repository with name '%s'", reference, name))
		return nil
	}
	if !slices.Contains(i.Tags, tag) && len(i.Tags) > 0 { // of the digest the execution was started with
		tag = i.Tags[0]
	}
	uri := textOf(repo.Attributes["RepositoryUri"]) + "@" + i.Digest
	t.Outputs = map[string]string{"ImageDigest": i.Digest, "ImageTag": tag, "ImageURI": uri, "RegistryId": e.Account, "RepositoryName": name}
	t.Revision = &revision{ID: i.Digest, Summary: "Image tag " + tag, URL: "https://" + e.Region + ".console.aws.amazon.com/ecr/repositories/" + name + "/_/image/" + i.Digest + "/details"}
	return nil
}
