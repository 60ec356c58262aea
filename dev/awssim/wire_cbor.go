package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/encoding/cbor"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/rpcv2"
)

// chosenProtocol is what the caller of a service with several protocols writes in. Clients
// change theirs between versions, so all stay open.
func chosenProtocol(r *http.Request, p protocol) protocol {
	switch {
	case p != cborRPC || r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		return p
	case r.Header.Get("X-Amz-Target") != "":
		return json11
	}
	return queryXML
}

// prefixOf is the IAM prefix of a signing name.
func prefixOf(signing string) string {
	if name := services()[signing].name; name != "" {
		return name
	}
	return signing
}

// decodeRPC reads operation and members of an rpcv2Cbor call.
func decodeRPC(r *http.Request, svc service, body []byte) (op string, tree map[string]any, err error) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/service/"+svc.target+"/operation/")
	if !ok || r.Method != http.MethodPost || strings.Contains(rest, "/") {
		return rest, nil, unknownOperation(cborRPC, rest)
	}
	if len(body) == 0 {
		return rest, map[string]any{}, nil
	}
	v, err := cbor.Decode(body)
	if err != nil {
		return rest, nil, refuse(http.StatusBadRequest, "SerializationException", "The request is not CBOR: %v", err)
	}
	t, err := cborTree(v)
	if err != nil {
		return rest, nil, refuse(http.StatusBadRequest, "SerializationException", "%v", err)
	}
	tree, ok = t.(map[string]any)
	if !ok {
		return rest, nil, refuse(http.StatusBadRequest, "SerializationException", "The request is not a map.")
	}
	return rest, tree, nil
}

// cborTree makes of CBOR what the decoder of JSON would have made.
func cborTree(v cbor.Value) (any, error) {
	switch x := v.(type) {
	case cbor.Map:
		out := map[string]any{}
		for k, item := range x {
			t, err := cborTree(item)
			if err != nil {
				return nil, err
			}
			out[k] = t
		}
		return out, nil
	case cbor.List:
		out := make([]any, len(x))
		for i, item := range x {
			t, err := cborTree(item)
			if err != nil {
				return nil, err
			}
			out[i] = t
		}
		return out, nil
	case cbor.String:
		return string(x), nil
	case cbor.Bool:
		return bool(x), nil
	case cbor.Uint:
		return json.Number(strconv.FormatUint(uint64(x), 10)), nil
	case cbor.NegInt: // its size
		return json.Number("-" + strconv.FormatUint(uint64(x), 10)), nil
	case cbor.Float32:
		return json.Number(strconv.FormatFloat(float64(x), 'g', -1, 32)), nil
	case cbor.Float64:
		return json.Number(strconv.FormatFloat(float64(x), 'g', -1, 64)), nil
	case *cbor.Tag: // 1: a time in seconds
		return cborTree(x.Value)
	case *cbor.Nil, *cbor.Undefined, nil:
		return nil, nil
	}
	return nil, fmt.Errorf("the simulator cannot read a %T", v)
}

// writeRPC lets an output write itself with the SDK's own codec.
func writeRPC(w http.ResponseWriter, out any) error {
	s, ok := out.(smithy.Serializable)
	if !ok {
		return fmt.Errorf("%T is not written by its schema", out)
	}
	req, ok := smithyhttp.NewStackRequest().(*smithyhttp.Request)
	if !ok {
		return fmt.Errorf("smithy request is a %T", req)
	}
	req.URL = &url.URL{Scheme: "http", Host: "sim", Path: "/"}
	shape := smithy.NewSchema(smithy.ShapeID{Namespace: "awssim", Name: "Answer"}, smithy.ShapeTypeStructure, 0)
	codec := rpcv2.NewCBOR(smithy.NewServiceSchema(shape, ""))
	if err := codec.SerializeRequest(context.Background(), smithy.NewOperationSchema(shape, shape, shape), s, req); err != nil {
		return fmt.Errorf("schema codec: %w", err)
	}
	rpcHeaders(w.Header())
	body := []byte{0xa0} // an empty map
	if stream := req.GetStream(); stream != nil {
		var err error
		if body, err = io.ReadAll(stream); err != nil {
			return fmt.Errorf("schema codec: %w", err)
		}
	}
	_, err := w.Write(body)
	return err
}

func rpcHeaders(h http.Header) {
	h.Set("Smithy-Protocol", "rpc-v2-cbor")
	h.Set("Content-Type", "application/cbor")
}

// writeRPCError names the error twice: newer clients read the body, and those that knew the
// query protocol the header.
func (s *Sim) writeRPCError(w http.ResponseWriter, c *Call, e *APIError) {
	kind := "Sender"
	if e.Status >= 500 {
		kind = "Receiver"
	}
	rpcHeaders(w.Header())
	w.Header().Set("X-Amzn-Query-Error", e.Code+";"+kind)
	w.WriteHeader(e.Status)
	_, err := w.Write(cbor.Encode(cbor.Map{"__type": cbor.String("com.amazonaws." + c.Service + "#" + e.Code), "message": cbor.String(e.Message)}))
	s.logWrite(c, err)
}
