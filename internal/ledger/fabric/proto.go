package fabric

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
)

// The messages of fabric-protos-go are of the first Go API of protocol buffers.

func unmarshal(data []byte, m protoadapt.MessageV1) error {
	return proto.Unmarshal(data, protoadapt.MessageV2Of(m))
}

// marshal fails only for a text that is not UTF-8.
func marshal(m protoadapt.MessageV1) ([]byte, error) {
	return proto.Marshal(protoadapt.MessageV2Of(m))
}
