package embedded

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// The ledger file is a sequence of frames, one a block, and only ever grows:
//
//	offset  bytes  content
//	0       4      "FTLB"
//	4       4      format, 1            big-endian, like all numbers
//	8       8      height
//	16      8      length n of the payload
//	24      4      CRC-32C of the bytes before: a changed length is seen as such, not as a frame that is cut off
//	28      n      payload (block.go)
//	28+n    32     SHA-256 of all bytes before: the block's hash
const (
	frameMagic  = "FTLB"
	frameFormat = 1
	headerLen   = 28
	trailerLen  = sha256.Size

	// maxPayload bounds what a header may claim, and so what is read into memory for it: one full block plus one
	// submission of the largest size, with room for outcomes.
	maxPayload = 4 * (maxBlockBytes + MaxBatchBytes)

	// sector is the smallest unit that a disk writes whole.
	sector = 512
	// minZeros is a run of zeros that no hash, signature or compressed text contains by chance.
	minZeros = 16
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// logFile is what the ledger needs of its file; tests put one there that fails.
type logFile interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	Sync() error
	Stat() (os.FileInfo, error)
}

// DamageError says that the ledger file is not what was written.
type DamageError struct {
	Block  uint64 // height of the block
	Offset int64  // in the file, of the frame
	What   string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("ledger: block %d is damaged (at byte %d of the file): %s", e.Block, e.Offset, e.What)
}

// errTorn is a frame that was not written to its end: nobody got a receipt for it.
var errTorn = errors.New("ledger: the last frame is incomplete")

// frame is one block as it stands in the file.
type frame struct {
	offset  int64
	whole   []byte // header, payload, hash
	payload []byte
	hash    [sha256.Size]byte // of the bytes that are there
	stored  [sha256.Size]byte // as written behind them
}

func (f *frame) end() int64 { return f.offset + int64(len(f.whole)) }

// sealFrame fills in the header in front of a payload, which begins at buf[headerLen], and appends the hash.
func sealFrame(buf []byte, height uint64) ([]byte, [sha256.Size]byte) {
	copy(buf, frameMagic)
	binary.BigEndian.PutUint32(buf[4:], frameFormat)
	binary.BigEndian.PutUint64(buf[8:], height)
	binary.BigEndian.PutUint64(buf[16:], uint64(len(buf)-headerLen))
	binary.BigEndian.PutUint32(buf[24:], crc32.Checksum(buf[:24], castagnoli))
	hash := sha256.Sum256(buf)
	return append(buf, hash[:]...), hash
}

// readFrame reads the frame of a height at an offset of a file that ends at size. buf is used when it is large enough.
// Errors: errTorn, *DamageError (with the frame when its header is sound), or what reading says.
func readFrame(r io.ReaderAt, offset, size int64, height uint64, buf []byte) (*frame, error) {
	var header [headerLen]byte
	if size-offset < headerLen {
		return nil, errTorn
	}
	if _, err := r.ReadAt(header[:], offset); err != nil {
		return nil, err
	}
	h, n, ok := parseHeader(header[:])
	switch {
	case !ok && header == [headerLen]byte{}:
		return nil, tornUnlessMore(r, offset, size, height)
	case !ok:
		return nil, &DamageError{height, offset, "the frame's header does not match its checksum"}
	case h != height:
		return nil, &DamageError{height, offset, fmt.Sprintf("block %d stands here", h)}
	case size-offset-headerLen-trailerLen < n:
		return nil, errTorn
	}
	total := headerLen + n + trailerLen
	if int64(cap(buf)) < total {
		buf = make([]byte, total)
	}
	buf = buf[:total]
	if _, err := r.ReadAt(buf, offset); err != nil {
		return nil, err
	}
	f := &frame{offset: offset, whole: buf, payload: buf[headerLen : headerLen+n], hash: sha256.Sum256(buf[:headerLen+n])}
	copy(f.stored[:], buf[headerLen+n:])
	if f.hash == f.stored {
		return f, nil
	}
	if f.end() == size && hasUnwrittenSector(buf, offset) {
		return nil, errTorn
	}
	return f, &DamageError{height, offset, "the block does not match its hash"}
}

// parseHeader reports whether a header is sound, and its height and payload length.
func parseHeader(b []byte) (height uint64, n int64, ok bool) {
	length := binary.BigEndian.Uint64(b[16:])
	ok = string(b[:4]) == frameMagic && binary.BigEndian.Uint32(b[4:]) == frameFormat &&
		binary.BigEndian.Uint32(b[24:]) == crc32.Checksum(b[:24], castagnoli) && length <= maxPayload
	return binary.BigEndian.Uint64(b[8:]), int64(length), ok
}

// hasUnwrittenSector reports whether the part of a frame in some sector is zero: a file system may, when the power fails, have
// made the file longer before the bytes arrived. Frames have no such runs of their own, and no flipped bit makes one.
func hasUnwrittenSector(b []byte, offset int64) bool {
	var zero [sector]byte
	for len(b) > 0 {
		n := min(sector-offset%sector, int64(len(b)))
		if n >= minZeros && bytes.Equal(b[:n], zero[:n]) {
			return true
		}
		b, offset = b[n:], offset+n
	}
	return false
}

// tornUnlessMore decides on a header of zeros: at the end of the file it was never written, elsewhere it was destroyed.
func tornUnlessMore(r io.ReaderAt, offset, size int64, height uint64) error {
	_, _, found, err := resync(r, offset, size, height)
	if err == nil && found {
		err = &DamageError{height, offset, "zeros stand where the frame's header was"}
	} else if err == nil {
		err = errTorn
	}
	return err
}

// resync finds the next sound header of a later block than height.
func resync(r io.ReaderAt, offset, size int64, height uint64) (at int64, next uint64, found bool, err error) {
	const window = 1 << 20
	buf := make([]byte, window)
	for offset++; offset+headerLen <= size; {
		b := buf[:min(window, size-offset)]
		if _, err := r.ReadAt(b, offset); err != nil {
			return 0, 0, false, err
		}
		i := bytes.Index(b, []byte(frameMagic))
		switch {
		case i < 0:
			offset += max(int64(len(b))-int64(len(frameMagic))+1, 1)
		case i > 0 && i+headerLen > len(b):
			offset += int64(i) // look again with the whole header in the window
		case i+headerLen > len(b):
			return 0, 0, false, nil
		default:
			if h, _, ok := parseHeader(b[i:]); ok && h > height {
				return offset + int64(i), h, true, nil
			}
			offset += int64(i) + 1
		}
	}
	return 0, 0, false, nil
}
