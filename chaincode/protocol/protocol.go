// Package protocol is what the Fabric chaincode and its client agree on: names, limits, codes of errors, and how a
// certificate becomes an actor. It knows no Fabric library, because the client's and the chaincode's cannot be linked into
// one program.
package protocol

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/go-json-experiment/json"
)

const (
	// Submit is the chaincode's one function. Its arguments are batches as contract.Batch.Encode makes them, decided one after the other
	// (contract.DecideEach); the payload of its response are the outcomes of all of them, in that order, as contract.EncodeOutcomes makes
	// them. Each batch is a transaction of the ledger, with the ID that BatchID makes and the proposal's time.
	Submit = "submit"
	// EventName of the chaincode event of each transaction; EncodeSummary makes its payload.
	EventName = "outcomes"
	// RolesAttribute is the name of the certificate attribute that lists the roles its holder may act in, with commas.
	RolesAttribute = "foodtrace.roles"

	// MaxClockSkew is by how much a proposal's time may differ from an endorser's clock. It bounds how far a member can shift
	// the ledger's time; clocks that nobody sets are minutes off, seldom more.
	MaxClockSkew = 10 * time.Minute
	// MaxBatchBytes bounds the encoded batches of a transaction, the same as one on the embedded ledger: they and their outcomes have to fit
	// into the 100 MB that a Fabric message may have.
	MaxBatchBytes = 16 << 20
	// MaxBatches of a transaction: what a client has under way at a time. Several together carry at most contract.MaxRecords.
	MaxBatches = 256
)

// Codes at the beginning of a refused proposal's message, "CODE: sentence". Status 400 says that the submission is wrong and
// will be everywhere; status 500 that this endorser could not do its work, and that another one may.
const (
	CodeFunction    = "FUNCTION_UNKNOWN"    // 400: not Submit
	CodeArguments   = "ARGUMENTS"           // 400: no argument, or more than MaxBatches
	CodeTooLarge    = "TOO_LARGE"           // 400: batches or outcomes larger than MaxBatchBytes, or several with too many records
	CodeBatch       = "BATCH_INVALID"       // 400: not a batch, or one without records
	CodeCertificate = "CERTIFICATE_INVALID" // 400: the submitter's certificate cannot be read, or its roles
	CodeClockSkew   = "CLOCK_SKEW"          // 400: the proposal's time is off this endorser's clock by more than MaxClockSkew
	CodeState       = "STATE_UNREADABLE"    // 500: the peer did not answer, or its state is damaged
	CodeStopping    = "STOPPING"            // 500: the chaincode service is being stopped
	CodeInternal    = "INTERNAL"            // 500: a defect; the service logs it
)

// Statuses of a response.
const (
	StatusWrong  = 400
	StatusFailed = 500
)

// Error is why a proposal is not endorsed.
type Error struct {
	Status int32
	Code   string
	Reason string // one sentence
}

// Error is "CODE: sentence", as it stands in a response's message.
func (e *Error) Error() string { return e.Code + ": " + e.Reason }

// Wrong is an Error of the submission.
func Wrong(code, format string, args ...any) error {
	return &Error{StatusWrong, code, fmt.Sprintf(format, args...)}
}

// attributeOID is that of the extension in which Fabric CA keeps a certificate's attributes.
var attributeOID = asn1.ObjectIdentifier{1, 2, 3, 4, 5, 6, 7, 8, 1}

// ParseActor is Actor of a certificate in PEM, as it stands in a Fabric identity. Fabric has checked that it is one of the member's.
func ParseActor(msp string, certPEM []byte) (contract.Actor, error) {
	block, _ := pem.Decode(certPEM)
	if block == nil || block.Type != "CERTIFICATE" {
		return contract.Actor{}, errors.New("chaincode: the identity is not a certificate in PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return contract.Actor{}, fmt.Errorf("chaincode: the certificate cannot be read: %w", err)
	}
	return Actor(msp, cert)
}

// Actor is the member's person or machine that a certificate names. It fails when the certificate's attributes cannot be
// read or name a role that does not exist, because a mistyped restriction must not become none.
func Actor(msp string, cert *x509.Certificate) (contract.Actor, error) {
	actor := contract.Actor{MSP: msp, Subject: cert.Subject.CommonName}
	for _, ext := range cert.Extensions {
		if !ext.Id.Equal(attributeOID) {
			continue
		}
		var attributes struct {
			Attrs map[string]string `json:"attrs"`
		}
		if err := json.Unmarshal(ext.Value, &attributes); err != nil {
			return contract.Actor{}, fmt.Errorf("chaincode: the attributes of the certificate of %s cannot be read: %w", actor.Subject, err)
		}
		list, ok := attributes.Attrs[RolesAttribute]
		if !ok {
			continue
		}
		var err error
		if actor.Roles, err = parseRoles(list); err != nil {
			return contract.Actor{}, fmt.Errorf("chaincode: the attribute %s of the certificate of %s: %w", RolesAttribute, actor.Subject, err)
		}
	}
	return actor, nil
}

// parseRoles reads "regulator,laboratory". An empty list is no role, not nil.
func parseRoles(list string) ([]contract.Role, error) {
	parsed := []contract.Role{}
	if strings.TrimSpace(list) == "" {
		return parsed, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		role := contract.Role(strings.TrimSpace(name))
		if !role.Known() {
			return nil, fmt.Errorf("there is no role %q", role)
		}
		parsed = append(parsed, role)
	}
	return parsed, nil
}
