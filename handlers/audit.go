package handlers

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Audit shows who did what.
type Audit struct {
	*Desk
	Store interface {
		AuditEntries(context.Context, models.Actor, models.ListQuery) (models.List[models.AuditEntry], error)
		EachAuditEntry(context.Context, models.Actor, models.ListQuery, func(models.AuditEntry) error) error
	}
}

type auditParams struct {
	listParams
	Actor  string `form:"actor"`
	Action string `form:"action"`
	Object string `form:"object"`
	Tenant string `form:"tenant"`
	From   string `form:"from"`
	To     string `form:"to"`
}

// List handles GET /audit.
func (h *Audit) List(c *fiber.Ctx) error {
	in, err := form.Query[auditParams](c)
	if err != nil {
		return err
	}
	q := in.query("actor", in.Actor, "action", in.Action, "object", in.Object, "tenant", in.Tenant, "from", in.From, "to", in.To)
	file, err := in.wantsCSV(c)
	if err != nil {
		return err
	}
	if file {
		return h.csv(c, q)
	}
	rows, err := h.Store.AuditEntries(c.UserContext(), actor(c), q)
	if err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	d := views.Audit{
		Facts: []ui.Fact{{Value: total(rows.Total, "entry", "entries")}}, Rows: rowsOf(h.Clock.Now(), rows.Rows, auditRow),
		Pager: pager(c, rows, "entry", "entries", true), CSV: with(c, "format", "csv"),
		Filters: ui.Filters{URL: urls.Audit, Label: "Filter the audit log", Set: in.Q+in.Actor+in.Action+in.Object+in.Tenant+in.From+in.To != "", Fields: []ui.Filter{
			{Name: "q", Label: "Any text", Kind: "search", Value: in.Q}, {Name: "actor", Label: "Who", Kind: "text", Value: in.Actor},
			{Name: "action", Label: "Action", Kind: "text", Value: in.Action}, {Name: "object", Label: "Object id or name", Kind: "text", Value: in.Object},
			{Name: "tenant", Label: "Tenant", Kind: "text", Value: in.Tenant}, {Name: "from", Label: "From", Kind: "date", Value: in.From},
			{Name: "to", Label: "To", Kind: "date", Value: in.To}}},
	}
	return pageOr(c, views.AuditPage(p, d), views.AuditContent(d))
}

func (h *Audit) csv(c *fiber.Ctx, q models.ListQuery) error {
	a := actor(c)
	header := []string{"at", "actor", "role", "action", "object_type", "object_id", "object", "tenant_id", "request_id", "address", "seq", "hash", "before", "after"}
	return export(c, "audit.csv", header, func(ctx context.Context, row func(...string) error) error {
		return h.Store.EachAuditEntry(ctx, a, q, func(e models.AuditEntry) error {
			return row(e.At.UTC().Format(time.RFC3339Nano), e.Actor, e.Role, e.Action, e.ObjectType, e.ObjectID, e.ObjectName, e.TenantID, e.RequestID, e.Address,
				seq(e), hex.EncodeToString(e.Hash), string(e.Before), string(e.After))
		})
	})
}

func seq(e models.AuditEntry) string {
	if e.Seq == 0 {
		return ""
	}
	return fmt.Sprint(e.Seq)
}

func auditRow(now time.Time, e models.AuditEntry) views.AuditRow {
	row := views.AuditRow{ID: e.ID, At: ui.At(e.At), Actor: e.Actor, Role: e.Role, Action: e.Action, Denied: strings.HasPrefix(e.Action, "access.denied") || e.Action == "auth.refused",
		RequestID: e.RequestID, Address: e.Address, Props: differences(e.Before, e.After)}
	if e.Seq > 0 {
		row.Seq, row.Hash = ui.Count(int(e.Seq)), hex.EncodeToString(e.Hash)
	}
	name := e.ObjectName
	if name == "" {
		name = e.ObjectID
	}
	row.Object = strings.TrimSpace(e.ObjectType + " " + name)
	switch {
	case e.ObjectType == "request" && models.ValidID(e.ObjectID):
		row.ObjectURL = urls.Request(e.ObjectID)
	case e.ObjectType == "run" && models.ValidID(e.ObjectID):
		row.ObjectURL = urls.Run(e.ObjectID)
	case e.ObjectType == string(models.TenantObject) && models.ValidSlug(e.ObjectName) == "":
		row.ObjectURL, row.Tenant = urls.Tenant(e.ObjectName), e.ObjectName
	}
	return row
}

// differences lists what an entry changed, field by field.
func differences(before, after json.RawMessage) []ui.Prop {
	was, is := flat(before), flat(after)
	var names []string
	for k := range was {
		names = append(names, k)
	}
	for k := range is {
		if _, ok := was[k]; !ok {
			names = append(names, k)
		}
	}
	slices.Sort(names)
	var props []ui.Prop
	for _, k := range names {
		p := ui.Prop{Path: k}
		if v, ok := was[k]; ok {
			p.Before = &v
		}
		if v, ok := is[k]; ok {
			p.After = &v
		}
		if p.Before == nil || p.After == nil || *p.Before != *p.After {
			props = append(props, p)
		}
	}
	return props
}

// flat reads the top level of an object; anything below stays JSON.
func flat(src json.RawMessage) map[string]string {
	out := map[string]string{}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(src, &fields); err != nil {
		if len(src) > 0 && !bytes.Equal(src, []byte("null")) {
			out["value"] = string(src)
		}
		return out
	}
	for k, v := range fields {
		var text string
		if json.Unmarshal(v, &text) != nil {
			text = string(v)
		}
		out[k] = text
	}
	return out
}
