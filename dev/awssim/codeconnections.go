package awssim

import (
	"context"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	conntypes "github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
)

func codeconnectionsOperations() []operation {
	return []operation{
		handle("codeconnections", "GetConnection", getConnection),
		handle("codeconnections", "ListConnections", listConnections),
		handle("codeconnections", "ListTagsForResource", listConnectionTags),
	}
}

// connectionStatus is PENDING until a person finishes the handshake, or refuses it.
func connectionStatus(t *thing) string {
	if status := textOf(t.State["status"]); status != "" {
		return status
	}
	return string(conntypes.ConnectionStatusPending)
}

// ownConnection asks for a connection by its ARN; other accounts' are not found.
func (c *Call) ownConnection(ctx context.Context, given *string) (*thing, error) {
	a, err := need("connectionArn", given)
	if err != nil {
		return nil, err
	}
	if err := c.may(ctx, a, nil); err != nil {
		return nil, err
	}
	t, err := c.byARN(ctx, codeConnection, a)
	if err == nil && (t == nil || t.Account != c.Account || t.Region != c.Region) {
		err = refuse(http.StatusBadRequest, "ResourceNotFoundException", "Connection not found: %s", a)
	}
	return t, err
}

func connectionOut(t *thing) conntypes.Connection {
	return conntypes.Connection{ConnectionArn: &t.ARN, ConnectionName: aws.String(textOf(t.Properties["ConnectionName"])), ConnectionStatus: conntypes.ConnectionStatus(connectionStatus(t)),
		OwnerAccountId: &t.Account, ProviderType: conntypes.ProviderType(textOf(t.Properties["ProviderType"])), HostArn: optional(textOf(t.Properties["HostArn"]))}
}

func getConnection(ctx context.Context, c *Call, in *codeconnections.GetConnectionInput) (*codeconnections.GetConnectionOutput, error) {
	t, err := c.ownConnection(ctx, in.ConnectionArn)
	if err != nil {
		return nil, err
	}
	out := connectionOut(t)
	return &codeconnections.GetConnectionOutput{Connection: &out}, nil
}

func listConnections(ctx context.Context, c *Call, in *codeconnections.ListConnectionsInput) (*codeconnections.ListConnectionsOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	all, err := c.own(ctx, codeConnection)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(t *thing) bool {
		return (in.ProviderTypeFilter != "" && textOf(t.Properties["ProviderType"]) != string(in.ProviderTypeFilter)) || (in.HostArnFilter != nil && textOf(t.Properties["HostArn"]) != *in.HostArnFilter)
	})
	var most *int32
	if in.MaxResults != 0 {
		most = &in.MaxResults
	}
	some, next, err := page(all, in.NextToken, most, 100)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidInputException", "The next token or the number of results is not valid.")
	}
	out := &codeconnections.ListConnectionsOutput{NextToken: next, Connections: []conntypes.Connection{}}
	for _, t := range some {
		out.Connections = append(out.Connections, connectionOut(t))
	}
	return out, nil
}

func listConnectionTags(ctx context.Context, c *Call, in *codeconnections.ListTagsForResourceInput) (*codeconnections.ListTagsForResourceOutput, error) {
	t, err := c.ownConnection(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &codeconnections.ListTagsForResourceOutput{Tags: []conntypes.Tag{}}
	for _, k := range sortedKeys(t.Tags) {
		out.Tags = append(out.Tags, conntypes.Tag{Key: aws.String(k), Value: aws.String(t.Tags[k])})
	}
	return out, nil
}
