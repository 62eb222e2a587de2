package subscribe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// Headers of a delivery.
const (
	// SignatureHeader is the standard's. See Sign.
	SignatureHeader = "GS1-Signature"
	// SequenceHeader numbers the deliveries of a subscription. A delivery that is made again, because its answer was lost or
	// was not a 2xx, has the same number and the same events.
	SequenceHeader = "Foodtrace-Sequence"
	// SubscriptionHeader names the subscription.
	SubscriptionHeader = "Foodtrace-Subscription"
)

// Sign returns the value of the header GS1-Signature: t=SECONDS,v1=HEX, where SECONDS is the time of sending (Unix) and HEX
// the HMAC-SHA256, with the subscriber's signatureToken as the key, of SECONDS, a full stop and the body. A receiver that
// refuses old times cannot be sent a delivery again by somebody who has overheard it.
func Sign(token string, at time.Time, body []byte) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte(seconds + "."))
	mac.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
