package awssim

import (
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// protocol is how a service writes its calls and answers.
type protocol int

const (
	queryXML protocol = iota
	ec2Query
	json11
	restJSON
	restXML
	cborRPC // or query, or JSON: the caller chooses by its headers
)

// service is what the wire needs to know of one service, found by its signing name.
type service struct {
	protocol protocol
	xmlns    string
	target   string // X-Amz-Target prefix
	name     string // IAM prefix, where it is not the signing name
	json10   bool   // JSON 1.0
	lower    bool   // JSON of a client without schemas, whose names begin in small letters
}

// services the simulator answers, by the name they sign with, which is the IAM prefix too
// unless it says otherwise.
func services() map[string]service {
	return map[string]service{
		"cloudformation": {protocol: queryXML, xmlns: "http://cloudformation.amazonaws.com/doc/2010-05-15/"},
		"sts":            {protocol: queryXML, xmlns: "https://sts.amazonaws.com/doc/2011-06-15/"},
		"iam":            {protocol: queryXML, xmlns: "https://iam.amazonaws.com/doc/2010-05-08/"},
		"ec2":            {protocol: ec2Query, xmlns: "http://ec2.amazonaws.com/doc/2016-11-15/"},
		"organizations":  {protocol: json11, target: "AWSOrganizationsV20161128"},
		"servicequotas":  {protocol: json11, target: "ServiceQuotasV20190624"},
		"budgets":        {protocol: json11, target: "AWSBudgetServiceGateway"},
		"account":        {protocol: restJSON},
		"s3":             {protocol: restXML, xmlns: "http://s3.amazonaws.com/doc/2006-03-01/"},

		"acm":                  {protocol: json11, target: "CertificateManager"},
		"ecr":                  {protocol: json11, target: "AmazonEC2ContainerRegistry_V20150921"},
		"ecs":                  {protocol: json11, target: "AmazonEC2ContainerServiceV20141113"},
		"elasticloadbalancing": {protocol: queryXML, xmlns: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"},
		"kms":                  {protocol: json11, target: "TrentService"},
		"monitoring":           {protocol: cborRPC, xmlns: "http://monitoring.amazonaws.com/doc/2010-08-01/", target: "GraniteServiceVersion20100801", name: "cloudwatch"},
		"route53":              {protocol: restXML, xmlns: "https://route53.amazonaws.com/doc/2013-04-01/"},
		"secretsmanager":       {protocol: json11, target: "secretsmanager"},
		"tagging":              {protocol: json11, target: "ResourceGroupsTaggingAPI_20170126", name: "tag"},
		"ce":                   {protocol: json11, target: "AWSInsightsIndexService"},
		"sso":                  {protocol: json11, target: "SWBExternalService"},
		"identitystore":        {protocol: json11, target: "AWSIdentityStore"},
		"codebuild":            {protocol: json11, target: "CodeBuild_20161006", lower: true},
		"codeconnections":      {protocol: json11, target: "CodeConnections_20231201", json10: true},
		"codepipeline":         {protocol: json11, target: "CodePipeline_20150709", lower: true},
		"logs":                 {protocol: json11, target: "Logs_20140328"},
	}
}

const (
	bodyLimit   = 1 << 20
	objectLimit = 16 << 20
)

// wireCall is a request as far as the wire understands it.
type wireCall struct {
	svc     service
	service string
	op      string
	tree    map[string]any // members as sent
	body    string
}

// ServeHTTP answers one AWS API call.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &Call{Sim: s, RequestID: newRequestID(), SourceIP: remoteIP(r)}
	scope, err := readSignature(r, time.Now())
	if open, ok := openCall(r, time.Now()); ok {
		scope, err = open, nil
	}
	c.Service, c.Region, c.signed = scope.service, scope.region, scope.at
	svc, known := s.services[scope.service]
	if !known {
		svc = service{protocol: guessProtocol(r)}
	}
	svc.protocol = chosenProtocol(r, svc.protocol)
	if svc.name != "" {
		c.Service = svc.name
	}
	if err == nil && !known {
		err = refuse(http.StatusNotFound, "UnknownOperationException", "The simulator does not know the service %q.", scope.service)
	}
	var out any
	var v verdict
	if err == nil {
		out, v, err = s.serve(r, c, svc, scope)
	}
	if v.drop {
		s.hangUp(w, c)
		return
	}
	if err != nil {
		s.noteUnknown(r, c, err)
		c.tellTime(w)
		s.writeError(w, c, svc, err)
		return
	}
	c.tellTime(w)
	if err := writeAnswer(w, c, svc, out); err != nil {
		s.log.Error("write AWS answer", "service", c.Service, "op", c.Op, "err", err)
	}
}

// tellTime dates an answer by a clock that is off; others are dated by the server.
func (c *Call) tellTime(w http.ResponseWriter) {
	if c.skew != 0 {
		w.Header().Set("Date", c.Now.Add(c.skew).Format(http.TimeFormat))
	}
}

// serve decodes the call and runs it.
func (s *Sim) serve(r *http.Request, c *Call, svc service, scope signature) (any, verdict, error) {
	limit := int64(bodyLimit)
	if scope.service == "s3" {
		limit = objectLimit
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, verdict{}, refuse(http.StatusBadRequest, "RequestTimeout", "The request body could not be read: %v", err)
	}
	if int64(len(body)) > limit {
		return nil, verdict{}, refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Request size exceeds %d bytes.", limit)
	}
	call, err := s.decode(r, svc, c.Service, body)
	c.Service, c.Op, c.body = call.service, call.op, call.body
	if err != nil {
		return nil, verdict{}, err
	}
	op, ok := s.ops[call.service+"."+call.op]
	if !ok {
		return nil, verdict{}, unknownOperation(svc.protocol, call.op)
	}
	in := reflect.New(op.in)
	if err := (binder{ec2: svc.protocol == ec2Query}).bind(call.tree, in.Elem(), ""); err != nil {
		return nil, verdict{}, badMember(svc.protocol, err)
	}
	if token, ok := in.Interface().(*sts.AssumeRoleWithWebIdentityInput); ok { // before the world is locked: it asks the issuer
		c.web, c.webErr = s.readWebIdentity(r.Context(), token)
	}
	return s.do(r.Context(), c, scope, op, in.Interface())
}

// noteUnknown logs what the simulator does not play, by name: that is how one learns what
// to write next.
func (s *Sim) noteUnknown(r *http.Request, c *Call, err error) {
	var e *APIError
	if errors.As(err, &e) && (e.Code == "UnknownOperationException" || e.Code == "InvalidAction") {
		s.log.Warn("unknown AWS operation", "service", c.Service, "op", c.Op, "target", r.Header.Get("X-Amz-Target"), "method", r.Method, "path", r.URL.Path)
	}
}

func unknownOperation(p protocol, op string) error {
	switch p {
	case json11, cborRPC:
		return refuse(http.StatusBadRequest, "UnknownOperationException", "")
	case restJSON, restXML:
		return refuse(http.StatusNotFound, "UnknownOperationException", "%s is not an operation of this service.", op)
	default:
		return refuse(http.StatusBadRequest, "InvalidAction", "Could not find operation %s for this version of the service.", op)
	}
}

// badMember words a decoding error as the service's family does.
func badMember(p protocol, err error) error {
	var u unknownMember
	switch {
	case p == ec2Query && errors.As(err, &u):
		return refuse(http.StatusBadRequest, "UnknownParameter", "The parameter %s is not recognized", string(u))
	case p == ec2Query:
		return refuse(http.StatusBadRequest, "InvalidParameterValue", "%v", err)
	case p == json11 || p == restJSON || p == cborRPC:
		if errors.As(err, &u) {
			return refuse(http.StatusBadRequest, "ValidationException", "%v", err)
		}
		return refuse(http.StatusBadRequest, "SerializationException", "%v", err)
	case p == restXML:
		return refuse(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema: %v", err)
	default:
		return invalid("%v", err)
	}
}

// decode reads operation name and members in the service's protocol.
func (s *Sim) decode(r *http.Request, svc service, name string, body []byte) (wireCall, error) {
	c := wireCall{svc: svc, service: name, body: string(body)}
	var err error
	switch svc.protocol {
	case queryXML, ec2Query:
		c.op, c.tree, err = decodeForm(r, body, svc.protocol == ec2Query)
	case json11:
		prefix, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if prefix != svc.target {
			return c, unknownOperation(json11, op)
		}
		c.op = op
		c.tree, err = decodeJSON(body)
	case restJSON:
		c.op = strings.TrimPrefix(r.URL.Path, "/")
		if c.op != "" {
			c.op = strings.ToUpper(c.op[:1]) + c.op[1:]
		}
		if r.Method != http.MethodPost {
			return c, unknownOperation(restJSON, c.op)
		}
		c.tree, err = decodeJSON(body)
	case restXML:
		err = decodeREST(r, body, &c)
	case cborRPC:
		c.op, c.tree, err = decodeRPC(r, svc, body)
		c.body = jsonProperty(c.tree) // rules match text
	}
	return c, err
}

// hangUp closes the connection without a reply, as a network failure does.
func (s *Sim) hangUp(w http.ResponseWriter, c *Call) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		s.log.Error("drop AWS connection", "err", err)
		panic(http.ErrAbortHandler) // net/http's own way to end a connection without a reply
	}
	if err := conn.Close(); err != nil {
		s.log.Warn("close dropped connection", "op", c.Op, "err", err)
	}
}

func guessProtocol(r *http.Request) protocol {
	switch {
	case r.Header.Get("Smithy-Protocol") != "":
		return cborRPC
	case r.Header.Get("X-Amz-Target") != "":
		return json11
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		return queryXML
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		return restJSON
	default:
		return restXML
	}
}

func remoteIP(r *http.Request) string {
	host, _, ok := strings.Cut(r.RemoteAddr, "]:")
	if !ok {
		host, _, _ = strings.Cut(r.RemoteAddr, ":")
	}
	return strings.TrimPrefix(host, "[")
}
