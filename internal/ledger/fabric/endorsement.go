package fabric

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/peer"
	"github.com/hyperledger/fabric-protos-go/peer/lifecycle"

	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

const (
	// lifecycleNamespace is the system chaincode that keeps the definitions of chaincodes.
	lifecycleNamespace = "_lifecycle"
	// An implicit collection belongs to the organisation whose MSP ID follows.
	implicitCollection = "_implicit_org_"
	// validationPlugin is Fabric's own; with another one, nobody else knows what is valid.
	validationPlugin = "vscc"
)

// unproven is that peers can tell whether a transaction is endorsed as it should be, and this cannot.
type unproven struct{ reason string }

func (u *unproven) Error() string { return u.reason }

// checkEndorsement says whether a transaction that readTx has read is endorsed as the channel's configuration and the
// chaincodes' definitions ask for, and notes whether its own chaincode's policy is satisfied. It returns an *invalid, an *unproven (or an
// *invalid of one), or what went wrong reading the definitions.
func (c *channel) checkEndorsement(r pebble.Reader, tx *transaction) error {
	if err := tx.checkAction(); err != nil {
		return err
	}
	signers := c.endorsers(tx)
	var doubt error
	for namespace, set := range tx.written() {
		endorse, err := c.endorsementPolicy(r, namespace)
		if err == nil {
			satisfied := endorse.satisfiedBy(signers)
			tx.endorsed = tx.endorsed || satisfied && namespace == tx.chaincode
			err = because(peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE, c.checkNamespace(namespace, set, satisfied, signers))
		}
		var u *unproven
		if err != nil && !errors.As(err, &u) {
			return err // whatever the others say
		}
		doubt = errors.Join(doubt, err)
	}
	return doubt
}

// checkAction checks that what was endorsed is of the chaincode that was invoked, and takes its reads and writes apart.
func (tx *transaction) checkAction() error {
	other := func(text string) error {
		return because(peer.TxValidationCode_INVALID_OTHER_REASON, errors.New(text))
	}
	if tx.action == nil {
		return because(peer.TxValidationCode_BAD_RESPONSE_PAYLOAD, errors.New("what was endorsed cannot be read"))
	}
	if err := tx.readSets(); err != nil {
		return because(peer.TxValidationCode_BAD_RWSET, err)
	}
	id := tx.action.ChaincodeId
	switch {
	case id == nil:
		return other("what was endorsed names no chaincode")
	case tx.chaincode == "" || id.Name != tx.chaincode || id.Version == "":
		return because(peer.TxValidationCode_INVALID_CHAINCODE, fmt.Errorf("%q was invoked, and %q version %q endorsed", tx.chaincode, id.Name, id.Version))
	}
	if len(tx.action.Events) == 0 {
		return nil
	}
	var event peer.ChaincodeEvent
	if unmarshal(tx.action.Events, &event) != nil || event.ChaincodeId != tx.chaincode {
		return other("its event is not of the chaincode that was invoked")
	}
	return nil
}

// written returns what was written, by namespace: that of the chaincode that was invoked in any case.
func (tx *transaction) written() map[string]namespaceSet {
	w := map[string]namespaceSet{tx.chaincode: {}}
	for _, s := range tx.sets {
		if s.writes() || s.namespace == tx.chaincode {
			w[s.namespace] = s
		}
	}
	return w
}

// endorsers returns those whose endorsements are signed rightly, each once.
func (c *channel) endorsers(tx *transaction) []signer {
	var set []signed
	response := tx.payload.Action.ProposalResponsePayload
	for _, e := range tx.payload.Action.Endorsements {
		set = append(set, signed{e.GetEndorser(), slices.Concat(response, e.GetEndorser()), e.GetSignature()})
	}
	return c.signers(set)
}

// checkNamespace asks for the chaincode's policy where its public state is written, for a collection's where that is, and
// for the chaincode's when nothing is.
func (c *channel) checkNamespace(namespace string, s namespaceSet, satisfied bool, signers []signer) error {
	fails := func(of string) error { return fmt.Errorf("the endorsement policy of %s is not satisfied", of) }
	if !satisfied && (!s.writes() || s.publicly()) {
		return fails(namespace)
	}
	var doubt error
	for _, coll := range s.collections {
		if coll.name == "" || !coll.writes() {
			continue
		}
		msp, ok := strings.CutPrefix(coll.name, implicitCollection)
		if !ok {
			doubt = &unproven{fmt.Sprintf("it writes the private collection %s of %s, and none is in use", coll.name, namespace)}
			continue
		}
		group, ok := c.members[msp]
		if !ok {
			return fmt.Errorf("it writes a private collection of %q, which is no organisation of the channel", msp)
		}
		if !c.collectionPolicy(msp, group).satisfiedBy(signers) {
			return fails(coll.name)
		}
	}
	return doubt
}

// collectionPolicy is that of an organisation's implicit collections: its Endorsement policy, or any member of it where it has none.
func (c *channel) collectionPolicy(id, group string) policy {
	if p, ok := c.policies["/Channel/"+groupApplication+"/"+group+"/Endorsement"]; ok {
		return p
	}
	return anyMember(id)
}

// endorsementPolicy returns the policy of a chaincode's definition in the state. Errors: *invalid where there is no definition.
func (c *channel) endorsementPolicy(r pebble.Reader, namespace string) (policy, error) {
	if namespace == lifecycleNamespace {
		return c.policy(policyLifecycle), nil
	}
	unknown := func(err error) error { return because(peer.TxValidationCode_INVALID_CHAINCODE, err) }
	value, err := store.Get(r, stateKey(lifecycleNamespace, "namespaces/fields/"+namespace+"/ValidationInfo"))
	if err != nil {
		return nil, err
	}
	if len(value) < versionLen {
		return nil, unknown(fmt.Errorf("the chaincode %s is not defined", namespace))
	}
	var data lifecycle.StateData
	var info lifecycle.ChaincodeValidationInfo
	var p peer.ApplicationPolicy
	if err := unmarshal(value[versionLen:], &data); err != nil {
		return nil, unknown(err)
	}
	if err := unmarshal(data.GetBytes(), &info); err != nil {
		return nil, unknown(err)
	}
	if info.ValidationPlugin != validationPlugin {
		return nil, &unproven{fmt.Sprintf("transactions of the chaincode %s are validated by the plugin %q, which is not known here", namespace, info.ValidationPlugin)}
	}
	if err := unmarshal(info.ValidationParameter, &p); err != nil {
		return nil, unknown(err)
	}
	switch t := p.Type.(type) {
	case *peer.ApplicationPolicy_ChannelConfigPolicyReference:
		return c.policy(t.ChannelConfigPolicyReference), nil
	case *peer.ApplicationPolicy_SignaturePolicy:
		envelope := t.SignaturePolicy
		read, err := newSignaturePolicy(&common.SignaturePolicyEnvelope{Version: envelope.GetVersion(), Rule: envelope.GetRule(), Identities: envelope.GetIdentities()})
		return read, unknown(err)
	}
	return nil, unknown(fmt.Errorf("the endorsement policy of the chaincode %s is of an unknown type", namespace))
}
