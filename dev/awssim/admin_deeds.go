package awssim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// deed is something a person does in an account, beside all stacks and without credentials.
type deed struct {
	Account string `json:"account"`
	Region  string `json:"region,omitempty"` // the home region when empty
	Name    string `json:"name,omitempty"`   // of the repository, bucket, secret, service, alarm; the block of a network
	Key     string `json:"key,omitempty"`    // an object's key, an image's tag
	Value   string `json:"value,omitempty"`  // an object's content, a secret's value, an alarm's state
	On      bool   `json:"on,omitempty"`     // whether a service's tasks crash, or a group or permission set is there
	Count   int    `json:"count,omitempty"`  // of subnets of each kind

	Parameters map[string]string `json:"parameters,omitempty"` // of a stack whose template lies at Value

	Author string   `json:"author,omitempty"` // of a commit; who finishes a handshake
	Paths  []string `json:"paths,omitempty"`  // what a commit changes; none: everything
}

// deeds are what the page and the API can do, by the API's method and path.
func deeds() map[string]func(context.Context, *Call, deed) (map[string]any, error) {
	return map[string]func(context.Context, *Call, deed) (map[string]any, error){
		"POST /images":   pushByHand,
		"POST /objects":  uploadByHand,
		"PUT /secrets":   secretByHand,
		"PUT /services":  crashByHand,
		"PUT /alarms":    alarmByHand,
		"PUT /vpcs":      networkByHand,
		"PUT /stacks":    stackByHand,
		"DELETE /stacks": endStackByHand,

		"POST /roles/drop":     dropByHand,
		"POST /roles/deny":     denyByHand,
		"POST /roles/distrust": distrustByHand,
		"POST /roles/restore":  restoreByHand,
		"PUT /requirements":    requireByHand,
		"PUT /instances":       instanceByHand,

		"POST /commits":          commitByHand,
		"PUT /connections":       connectByHand,
		"POST /builds/next":      nextBuildByHand,
		"POST /images/next":      nextImageByHand,
		"PUT /images/findings":   findingsByHand,
		"PUT /tags":              tagByHand,
		"POST /approvals/expire": expireByHand,

		"PUT /groups":          groupByHand,
		"PUT /permission-sets": permissionSetByHand,
	}
}

// adminBody reads what somebody sends to the admin API; fields that nobody knows are refused.
func adminBody(w http.ResponseWriter, r *http.Request, what string, limit int64, into any) error {
	in := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	in.DisallowUnknownFields()
	if err := in.Decode(into); err != nil {
		return adminError{http.StatusBadRequest, what + ": " + err.Error()}
	}
	return nil
}

// takeDeed answers one call of the API.
func (s *Sim) takeDeed(route string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var d deed
		if err := adminBody(w, r, "body", 1<<20, &d); err != nil {
			s.adminFail(w, r, err)
			return
		}
		out, err := s.doDeed(r.Context(), route, d)
		if err != nil {
			s.adminFail(w, r, err)
			return
		}
		s.adminJSON(w, r, http.StatusCreated, out)
	}
}

// doDeed does it as the account's administrator would; AWS's own refusals are shown as such.
func (s *Sim) doDeed(ctx context.Context, route string, d deed) (out map[string]any, err error) {
	if d.Region == "" {
		d.Region = homeRegion
	}
	if route == "POST /commits" { // repositories are outside all accounts
		d.Account = demoManagement
	}
	if strings.ContainsRune(d.Account+d.Name+d.Key+d.Author+strings.Join(d.Paths, ""), 0) {
		return nil, adminError{http.StatusBadRequest, "Names hold no NUL."}
	}
	err = s.within(ctx, func(ctx context.Context, c *Call) error {
		a, ok, err := c.account(ctx, d.Account)
		if err != nil {
			return err
		}
		enabled, _ := regions()
		if !ok || a.State != "ACTIVE" || !slices.Contains(enabled, d.Region) {
			return adminError{http.StatusNotFound, "There is no such account or region."}
		}
		c.Account, c.Region = d.Account, d.Region
		out, err = deeds()[route](ctx, c, d)
		var refused *APIError
		if errors.As(err, &refused) {
			return adminError{http.StatusConflict, refused.Message}
		}
		return err
	})
	return out, err
}

func absent(what, name string) error {
	return adminError{http.StatusNotFound, fmt.Sprintf("There is no %s %q in this account and region.", what, name)}
}

var tagForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

// pushByHand pushes an image that no one built, each time another one.
func pushByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	repo, err := c.thing(ctx, c.Account, c.Region, ecrRepository, d.Name)
	if err != nil {
		return nil, err
	}
	if repo == nil {
		return nil, absent("repository", d.Name)
	}
	if d.Key != "" && !tagForm.MatchString(d.Key) {
		return nil, adminError{http.StatusBadRequest, "A tag has letters, digits, dots, dashes and underscores only."}
	}
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":1469,"digest":"sha256:%s"},"layers":[]}`, dockerManifest, hexID(64))
	i, err := c.push(ctx, repo, manifest, dockerManifest, d.Key)
	if err != nil {
		return nil, err
	}
	return map[string]any{"digest": i.Digest, "image": textOf(repo.Attributes["RepositoryUri"]) + "@" + i.Digest}, nil
}

func uploadByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	b, ok, err := c.bucket(ctx, d.Name)
	if err != nil {
		return nil, err
	}
	if !ok || b.account != d.Account {
		return nil, absent("bucket", d.Name)
	}
	if d.Key == "" || len(d.Key) > 1024 {
		return nil, adminError{http.StatusBadRequest, "A key has 1 to 1024 bytes."}
	}
	o := &stored{body: []byte(d.Value), contentType: "text/plain; charset=utf-8", etag: etagOf([]byte(d.Value)), modified: c.Now}
	if err := c.store(ctx, b, d.Key, o); err != nil {
		return nil, err
	}
	return map[string]any{"key": d.Key, "version": o.version}, nil
}

func secretByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	all, err := c.own(ctx, smSecret)
	if err != nil {
		return nil, err
	}
	n := slices.IndexFunc(all, func(t *thing) bool { return t.ARN == d.Name || secretName(t) == d.Name })
	switch {
	case n < 0:
		return nil, absent("secret", d.Name)
	case d.Value == "":
		return nil, adminError{http.StatusBadRequest, "A secret's value is not empty."}
	}
	id := newRequestID()
	return map[string]any{"version": id}, c.giveSecret(ctx, all[n].ARN, id, d.Value, c.Now)
}

// crashing makes a service's tasks start and end again, or stay.
func crashing(service string, on bool) func(context.Context, *Call) error {
	return func(ctx context.Context, c *Call) error {
		t, err := c.byARN(ctx, ecsService, service)
		if err != nil {
			return err
		}
		if t == nil {
			return absent("service", service)
		}
		t.State["crash"] = on
		if on {
			t.State["crashed"] = c.Now.Format(time.RFC3339Nano)
			if err := c.crashBegins(ctx, t); err != nil {
				return err
			}
		} else { // its tasks start anew
			if _, err := c.Tx.Exec(ctx, `UPDATE incidents SET ended_at = $2 WHERE kind = 'crash' AND target = $1 AND ended_at IS NULL`, t.ARN, c.Now); err != nil {
				return fmt.Errorf("end the crash of %s: %w", t.ARN, err)
			}
			t.State["deployed"] = c.Now.Format(time.RFC3339Nano)
			delete(t.State, "crashed")
			delete(t.State, "previous")
		}
		return c.know(ctx, t)
	}
}

func crashByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	all, err := c.own(ctx, ecsService)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(all, func(t *thing) bool { return t.ARN == d.Name }) {
		return nil, absent("service", d.Name)
	}
	return map[string]any{"service": d.Name, "crash": d.On}, crashing(d.Name, d.On)(ctx, c)
}

// alarmByHand holds an alarm in a state; without one it follows the world again.
func alarmByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	if !slices.Contains([]string{"", "OK", "ALARM", "INSUFFICIENT_DATA"}, d.Value) {
		return nil, adminError{http.StatusBadRequest, "An alarm is OK, ALARM or INSUFFICIENT_DATA."}
	}
	for _, typ := range []string{cwAlarm, cwComposite} {
		t, err := c.thing(ctx, c.Account, c.Region, typ, d.Name)
		if err != nil {
			return nil, err
		}
		if t == nil {
			continue
		}
		t.State["alarm"], t.State["alarm_since"] = d.Value, c.Now.Format(time.RFC3339Nano)
		return map[string]any{"alarm": d.Name, "state": d.Value}, c.know(ctx, t)
	}
	return nil, absent("alarm", d.Name)
}

// networkByHand makes a VPC as somebody made one before there was Slipway: with as many
// public and private subnets, each in the next zone.
func networkByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	block, err := netip.ParsePrefix(d.Name)
	if err != nil || !block.Addr().Is4() || block.Bits() < 16 || block.Bits() > 24 || block != block.Masked() || d.Count < 1 || d.Count > 8 {
		return nil, adminError{http.StatusBadRequest, "A network needs a block between /16 and /24, and 1 to 8 subnets of each kind."}
	}
	rnd := random(c.Account, c.Region, d.Name, c.Now.String())
	id := func(prefix string) string { return fmt.Sprintf("%s-0%015x%x", prefix, rnd.Uint64()>>4, rnd.IntN(16)) }
	put := func(typ, physical, kind string, properties, attributes map[string]any, tags map[string]string) error {
		return c.putThing(ctx, &thing{Account: c.Account, Region: c.Region, Type: typ, Physical: physical, ARN: arn("ec2", c.Region, c.Account, kind+"/"+physical), Properties: properties, Attributes: attributes, Tags: tags, Made: c.Now})
	}
	vpc := id("vpc")
	if err := put("AWS::EC2::VPC", vpc, "vpc", map[string]any{"CidrBlock": d.Name}, map[string]any{"VpcId": vpc, "CidrBlock": d.Name}, map[string]string{"Name": "made-by-hand"}); err != nil {
		return nil, err
	}
	gateway := id("igw")
	if err := put("AWS::EC2::InternetGateway", gateway, "internet-gateway", nil, nil, nil); err != nil {
		return nil, err
	}
	out := map[string]any{"vpc": vpc}
	base := block.Addr().As4()
	start, size := uint32(base[0])<<24|uint32(base[1])<<16|uint32(base[2])<<8|uint32(base[3]), uint32(1)<<(32-block.Bits()-4)
	for k, kind := range []string{"public", "private"} {
		table := id("rtb")
		if err := put("AWS::EC2::RouteTable", table, "route-table", map[string]any{"VpcId": vpc}, nil, map[string]string{"Name": kind}); err != nil {
			return nil, err
		}
		if kind == "public" {
			if err := put("AWS::EC2::Route", table+"|0.0.0.0/0", "route", map[string]any{"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}, nil, nil); err != nil {
				return nil, err
			}
		}
		var ids []string
		for i := range d.Count {
			subnet, zone := id("subnet"), c.Region+string(rune('a'+i%3))
			n := start + size*uint32(k*8+i)
			cidr := fmt.Sprintf("%d.%d.%d.%d/%d", n>>24, n>>16&255, n>>8&255, n&255, block.Bits()+4)
			properties := map[string]any{"VpcId": vpc, "CidrBlock": cidr, "AvailabilityZone": zone, "MapPublicIpOnLaunch": kind == "public"}
			if err := put("AWS::EC2::Subnet", subnet, "subnet", properties, map[string]any{"SubnetId": subnet, "AvailabilityZone": zone}, map[string]string{"Name": fmt.Sprintf("%s-%d", kind, i+1)}); err != nil {
				return nil, err
			}
			if err := put("AWS::EC2::SubnetRouteTableAssociation", id("rtbassoc"), "route-table-association", map[string]any{"RouteTableId": table, "SubnetId": subnet}, nil, nil); err != nil {
				return nil, err
			}
			ids = append(ids, subnet)
		}
		out[kind] = strings.Join(ids, ",")
	}
	return out, nil
}
