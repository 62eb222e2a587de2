package fabric

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
)

// Issuers returns the MSP IDs of the organisations of which the authorities stand for a certificate (DER), sorted, as the
// channel's first block knows them. There may be none although the channel accepts it: an organisation that came later, or that has
// another authority now.
func (c Config) Issuers(cert []byte) ([]string, error) {
	block, err := readGenesis(c.Genesis)
	if err != nil {
		return nil, err
	}
	conf, err := readConfig(block)
	if err == nil && conf == nil {
		err = errors.New("it is no configuration block")
	}
	if err != nil {
		return nil, fmt.Errorf("ledger: %s: %w", c.Genesis, err)
	}
	first, err := newChannel(conf)
	if err != nil {
		return nil, fmt.Errorf("ledger: %s: %w", c.Genesis, err)
	}
	parsed, err := x509.ParseCertificate(cert)
	if err != nil {
		return nil, fmt.Errorf("ledger: the certificate cannot be read: %w", err)
	}
	var issuers []string
	for msp, a := range first.authorities {
		if _, err := a.chain(parsed); err == nil {
			issuers = append(issuers, msp)
		}
	}
	slices.Sort(issuers)
	return issuers, nil
}
