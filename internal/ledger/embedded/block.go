package embedded

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// A block's payload, where "bytes" are a uvarint length and that many bytes:
//
//	32     hash of the block before, zeros for block 0
//	8      the block's time, nanoseconds since 1970
//	uvarint  number of transactions, each:
//	  bytes  the submission as it was signed: bytes MSP ID, bytes certificate (DER), 16 nonce, bytes batch (contract.Encode)
//	  bytes  signature: ECDSA P-256, ASN.1, over the transaction ID
//	  8      the transaction's time, nanoseconds since 1970
//	  32     SHA-256 of its effects (effectsHash)
//	  bytes  its outcomes (contract.EncodeOutcomes)
//
// The transaction ID is the SHA-256 of signingContext and the submission, so it does not depend on the signature,
// which anybody could write in a second form.
const signingContext = "foodtrace submission 1\n"

const nonceLen = 16

// submission is a batch as a member signed it.
type submission struct {
	msp       string
	cert      []byte
	batch     []byte // contract.Batch, encoded
	signed    []byte // all of the above and the nonce, as signed
	signature []byte
	digest    [sha256.Size]byte // the transaction ID
}

func (s *submission) id() string { return hex.EncodeToString(s.digest[:]) }

// sign makes the submission of an encoded batch.
func sign(by ledger.Signer, batch []byte) (*submission, error) {
	signed := make([]byte, 0, len(by.MSP)+len(by.Cert)+len(batch)+nonceLen+16)
	signed = appendBytes(signed, []byte(by.MSP))
	signed = appendBytes(signed, by.Cert)
	var nonce [nonceLen]byte
	rand.Read(nonce[:]) // never fails
	signed = append(signed, nonce[:]...)
	signed = appendBytes(signed, batch)
	s, err := parseSubmission(signed)
	if err != nil {
		return nil, err
	}
	s.signature, err = by.Key.Sign(rand.Reader, s.digest[:], crypto.SHA256)
	return s, err
}

func parseSubmission(signed []byte) (*submission, error) {
	r := reader{signed}
	s := &submission{signed: signed, digest: sha256.Sum256(append([]byte(signingContext), signed...))}
	s.msp = string(r.bytes())
	s.cert = r.bytes()
	r.next(nonceLen)
	s.batch = r.bytes()
	return s, r.done()
}

// storedTx is a transaction as it stands in a block.
type storedTx struct {
	*submission
	time     time.Time
	effects  [sha256.Size]byte
	outcomes []byte // encoded
}

// storedBlock is a block's payload.
type storedBlock struct {
	prev [sha256.Size]byte
	time time.Time
	txs  []storedTx
}

func (b *storedBlock) append(dst []byte) []byte {
	dst = append(dst, b.prev[:]...)
	dst = appendTime(dst, b.time)
	dst = binary.AppendUvarint(dst, uint64(len(b.txs)))
	for _, tx := range b.txs {
		dst = appendBytes(dst, tx.signed)
		dst = appendBytes(dst, tx.signature)
		dst = appendTime(dst, tx.time)
		dst = append(dst, tx.effects[:]...)
		dst = appendBytes(dst, tx.outcomes)
	}
	return dst
}

func parseBlock(payload []byte) (*storedBlock, error) {
	r := reader{payload}
	b := &storedBlock{prev: [sha256.Size]byte(r.next(sha256.Size)), time: r.time()}
	for range r.uvarint() {
		if r.b == nil {
			break
		}
		signed, signature := r.bytes(), r.bytes()
		tx := storedTx{time: r.time(), effects: [sha256.Size]byte(r.next(sha256.Size)), outcomes: r.bytes()}
		if r.b == nil {
			break
		}
		var err error
		if tx.submission, err = parseSubmission(signed); err != nil {
			return nil, fmt.Errorf("submission %d: %w", len(b.txs), err)
		}
		tx.signature = signature
		b.txs = append(b.txs, tx)
	}
	return b, r.done()
}

// effectsHash is over each effect's key and value, with their lengths; a deletion has no value and no length.
func effectsHash(effects contract.Effects) (sum [sha256.Size]byte) {
	h := sha256.New()
	var b []byte
	for _, kv := range effects {
		b = binary.AppendUvarint(b[:0], uint64(len(kv.Key)))
		b = append(b, kv.Key...)
		if kv.Value == nil {
			b = append(b, 0)
		} else {
			b = binary.AppendUvarint(append(b, 1), uint64(len(kv.Value)))
			b = append(b, kv.Value...)
		}
		h.Write(b)
	}
	h.Sum(sum[:0])
	return sum
}

// reader takes a payload apart. Once it runs out, b is nil and everything it returns is zero.
type reader struct{ b []byte }

var (
	errShort  = errors.New("it ends too early")
	errExcess = errors.New("bytes are left over")
	zeros     [sha256.Size]byte
)

func (r *reader) done() error {
	switch {
	case r.b == nil:
		return errShort
	case len(r.b) > 0:
		return errExcess
	}
	return nil
}

// next returns n ≤ len(zeros) bytes.
func (r *reader) next(n int) []byte {
	if len(r.b) < n {
		r.b = nil
		return zeros[:n]
	}
	var b []byte
	b, r.b = r.b[:n:n], r.b[n:]
	return b
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || n > 1 && r.b[n-1] == 0 { // there is one way to write a number
		r.b = nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.b = nil
		return nil
	}
	var b []byte
	b, r.b = r.b[:n:n], r.b[n:]
	return b
}

func (r *reader) time() time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(r.next(8)))).UTC()
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func appendTime(dst []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(t.UnixNano()))
}
