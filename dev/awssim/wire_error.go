package awssim

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// writeError answers with an error in the service's protocol. What is not an APIError is
// ours: the log has all of it, the caller sees InternalFailure.
func (s *Sim) writeError(w http.ResponseWriter, c *Call, svc service, err error) {
	var e *APIError
	if !errors.As(err, &e) {
		s.log.Error("AWS call failed", "service", c.Service, "op", c.Op, "request", c.RequestID, "err", err)
		e = &APIError{Status: http.StatusInternalServerError, Code: "InternalFailure", Message: "The request processing has failed because of an unknown error, exception or failure."}
	}
	w.Header().Set("X-Amzn-Requestid", c.RequestID)
	switch svc.protocol {
	case json11, restJSON:
		w.Header().Set("Content-Type", service{protocol: json11, json10: svc.json10}.contentType())
		w.Header().Set("X-Amzn-Errortype", e.Code)
		w.WriteHeader(e.Status)
		body := map[string]string{"__type": e.Code, "Message": e.Message}
		if svc.lower || c.Service == "logs" {
			body = map[string]string{"__type": e.Code, "message": e.Message}
		}
		if svc.protocol == restJSON {
			body = map[string]string{"code": e.Code, "message": e.Message}
		}
		if e.Reason != "" {
			body["Reason"] = e.Reason
		}
		s.logWrite(c, json.NewEncoder(w).Encode(body))
	case ec2Query:
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(e.Status)
		_, werr := fmt.Fprintf(w, `<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors><RequestID>%s</RequestID></Response>`, e.Code, escaped(e.Message), c.RequestID)
		s.logWrite(c, werr)
	case restXML:
		s.writeRESTError(w, c, svc, e)
	case cborRPC:
		s.writeRPCError(w, c, e)
	default:
		kind := "Sender"
		if e.Status >= 500 {
			kind = "Receiver"
		}
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(e.Status)
		_, werr := fmt.Fprintf(w, `<ErrorResponse xmlns="%s"><Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>`,
			svc.xmlns, kind, e.Code, escaped(e.Message), c.RequestID)
		s.logWrite(c, werr)
	}
}

// writeRESTError has two shapes: s3 answers a bare Error, the others wrap it.
func (s *Sim) writeRESTError(w http.ResponseWriter, c *Call, svc service, e *APIError) {
	w.Header().Set("X-Amz-Request-Id", c.RequestID)
	w.Header().Set("X-Amz-Id-2", c.RequestID)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(e.Status)
	inner := fmt.Sprintf(`<Error><Code>%s</Code><Message>%s</Message><RequestId>%s</RequestId><HostId>%s</HostId></Error>`, e.Code, escaped(e.Message), c.RequestID, c.RequestID)
	switch c.Service {
	case "s3control":
		inner = fmt.Sprintf(`<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>`, e.Code, escaped(e.Message), c.RequestID)
	case "route53":
		inner = route53Error(c, svc, e)
	}
	_, err := fmt.Fprint(w, inner)
	s.logWrite(c, err)
}

func (s *Sim) logWrite(c *Call, err error) {
	if err != nil {
		s.log.Warn("write AWS error", "service", c.Service, "op", c.Op, "err", err)
	}
}

func escaped(s string) string {
	b := &strings.Builder{}
	if err := xml.EscapeText(b, []byte(s)); err != nil {
		return ""
	}
	return b.String()
}

// denied is a refused permission in the words and with the code of the call's service.
func denied(service, message string) error {
	switch service {
	case "organizations", "budgets", "servicequotas", "acm", "ecr", "ecs", "kms", "secretsmanager", "tag", "sso", "identitystore", "ce", "codebuild", "codeconnections", "codepipeline", "logs":
		return refuse(http.StatusBadRequest, "AccessDeniedException", "%s", message)
	case "account":
		return refuse(http.StatusForbidden, "AccessDeniedException", "%s", message)
	case "ec2":
		return refuse(http.StatusForbidden, "UnauthorizedOperation", "You are not authorized to perform this operation. %s", message)
	default:
		return refuse(http.StatusForbidden, "AccessDenied", "%s", message)
	}
}

// throttled is how the service says "too fast".
func throttled(service string) error {
	switch service {
	case "organizations":
		return refuse(http.StatusBadRequest, "TooManyRequestsException", "You've sent too many requests in too short a period of time. The quota helps protect against denial-of-service attacks. Try again later.")
	case "account":
		return refuse(http.StatusTooManyRequests, "TooManyRequestsException", "Rate exceeded")
	case "ec2":
		return refuse(http.StatusServiceUnavailable, "RequestLimitExceeded", "Request limit exceeded.")
	case "s3", "s3control":
		return refuse(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
	case "budgets", "servicequotas", "acm", "ecr", "ecs", "kms", "secretsmanager", "tag", "sso", "identitystore", "ce", "codebuild", "codeconnections", "codepipeline", "logs":
		return refuse(http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
	default:
		return refuse(http.StatusBadRequest, "Throttling", "Rate exceeded")
	}
}
