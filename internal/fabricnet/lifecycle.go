package fabricnet

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// deploy brings a chaincode onto the channel: the services are started, each member's peer gets the package that says where
// its service is, the members approve, and one commits. From the commit on, the peers use the new services.
func (n *Network) deploy(ctx context.Context, binary string, c chaincode) error {
	orderer, err := n.orderer(ctx)
	if err != nil {
		return err
	}
	if err := n.prepareChaincode(ctx, binary, &c, orderer); err != nil {
		return err
	}
	n.state.Next = &c
	if err := n.save(); err != nil {
		return err
	}
	if err := n.commit(ctx, c, orderer); err != nil {
		return err
	}
	return n.adopt()
}

// AddChaincode brings another chaincode onto the channel, beside ours and under the same policy, to compare them. The binary takes the
// environment of chaincode/cmd/foodtrace-chaincode. Its services run until the network stops, and are not started again.
func (n *Network) AddChaincode(ctx context.Context, name, binary string) error {
	orderer, err := n.orderer(ctx)
	if err != nil {
		return err
	}
	c := chaincode{Name: name, Version: "1", Sequence: 1}
	if err := n.prepareChaincode(ctx, binary, &c, orderer); err != nil {
		return err
	}
	return n.commit(ctx, c, orderer)
}

// prepareChaincode starts the services of a chaincode, and each member installs its package, which it notes in c, and approves it.
func (n *Network) prepareChaincode(ctx context.Context, binary string, c *chaincode, orderer []string) error {
	if err := n.keepProgram(binary, *c); err != nil {
		return err
	}
	c.Packages = map[string]string{}
	packages := map[string]string{}
	for _, m := range n.state.Members {
		var err error
		if packages[m.MSP], c.Packages[m.MSP], err = n.pack(m.MSP, *c); err != nil {
			return err
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	for _, m := range n.state.Members {
		g.Go(func() error {
			if err := n.start(gctx, n.service(m.MSP, *c)); err != nil {
				return err
			}
			return n.installAndApprove(gctx, m.MSP, *c, packages[m.MSP], orderer)
		})
	}
	return g.Wait()
}

// adopt makes the next definition the one whose services are kept running.
func (n *Network) adopt() error {
	n.state.Chaincode, n.state.Next = *n.state.Next, nil
	return n.save()
}

// finishUpgrade finds out what became of a commit during which this program ended, and says whether it is on the channel.
func (n *Network) finishUpgrade(ctx context.Context) (adopted bool, err error) {
	if n.state.Next == nil {
		return false, nil
	}
	d, err := n.committed(ctx, n.Members()[0])
	if err != nil || d.Sequence != n.state.Next.Sequence {
		return false, err
	}
	return true, n.adopt()
}

// UpgradeChaincode replaces the chaincode service of all members by another program, while the network runs: the new
// services are started first, then all members install and approve, one commits, and when all peers have that, the old
// services end what they are doing and stop.
func (n *Network) UpgradeChaincode(ctx context.Context, binary, version string) error {
	if _, err := n.finishUpgrade(ctx); err != nil {
		return err
	}
	old := n.state.Chaincode
	if err := n.stopServices(); err != nil { // of an attempt before
		return err
	}
	n.step("installing, approving and committing chaincode %s", version)
	if err := n.deploy(ctx, binary, chaincode{Version: version, Sequence: old.Sequence + 1}); err != nil {
		return err
	}
	if err := n.awaitSequence(ctx, old.Sequence+1); err != nil {
		return err
	}
	time.Sleep(handOver)
	n.step("stopping the services of chaincode %s", old.Version)
	if err := n.stopServices(); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Dir(n.program(old)))
}

// stopServices stops chaincode services other than those of the definition on the channel.
func (n *Network) stopServices() error {
	found, err := n.find()
	if err != nil {
		return err
	}
	for _, msp := range n.Members() {
		delete(found, n.service(msp, n.state.Chaincode).id)
	}
	var ids []string
	for id := range found {
		if strings.HasPrefix(id, chaincodeName("")) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return n.stop(ids...)
}

// handOver is the time in which a peer may still begin a transaction on the old service, after it has the block with the new
// definition: it looked up the old one a moment before.
const handOver = 2 * time.Second

// awaitSequence waits until all peers have a definition of the chaincode.
func (n *Network) awaitSequence(ctx context.Context, sequence int) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	for _, msp := range n.Members() {
		for {
			d, err := n.committed(ctx, msp)
			if err == nil && d.Sequence >= sequence {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("fabricnet: the new definition has not reached %s: %w", peerName(msp), errors.Join(err, ctx.Err()))
			case <-time.After(5 * poll):
			}
		}
	}
	return nil
}

// keepProgram copies the chaincode service into the network's directory, where it stays as long as it is needed.
func (n *Network) keepProgram(binary string, c chaincode) error {
	data, err := os.ReadFile(binary)
	if err != nil {
		return fmt.Errorf("fabricnet: the chaincode service: %w", err)
	}
	to := n.program(c)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("fabricnet: %w", err)
	}
	return os.WriteFile(to, data, 0o700)
}

// definition are the arguments that all members have to agree on.
func definition(c chaincode) []string {
	return []string{"--channelID", channel, "--name", c.name(), "--version", c.Version, "--sequence", strconv.Itoa(c.Sequence),
		"--channel-config-policy", endorsementPolicy}
}

// installAndApprove installs a package on a member's peer and has the member approve the definition with it.
func (n *Network) installAndApprove(ctx context.Context, msp string, c chaincode, file string, orderer []string) error {
	if _, err := n.peer(ctx, msp, "lifecycle", "chaincode", "install", file); err != nil {
		return err
	}
	args := append([]string{"lifecycle", "chaincode", "approveformyorg", "--package-id", c.Packages[msp]}, definition(c)...)
	_, err := n.peer(ctx, msp, append(args, orderer...)...)
	return err
}

// commit makes the definition that a majority has approved the channel's. The first member sends it, all endorse it.
func (n *Network) commit(ctx context.Context, c chaincode, orderer []string) error {
	args := append([]string{"lifecycle", "chaincode", "commit"}, definition(c)...)
	for _, m := range n.state.Members {
		args = append(args, "--peerAddresses", n.state.address(peerName(m.MSP)), "--tlsRootCertFiles", n.org(m.MSP, "msp", "cacerts", "ca.pem"))
	}
	_, err := n.peer(ctx, n.state.Members[0].MSP, append(args, orderer...)...)
	return err
}

// pack writes the package for a member's peer: it says where the service is and how to know it, so it holds a key and stays
// on this machine. It returns the file and the package ID.
func (n *Network) pack(msp string, c chaincode) (file, id string, err error) {
	var pems [3][]byte
	for i, name := range []string{n.org(msp, "peer", "tls", "key.pem"), n.org(msp, "peer", "tls", "cert.pem"), n.org(msp, "msp", "cacerts", "ca.pem")} {
		if pems[i], err = os.ReadFile(name); err != nil {
			return "", "", fmt.Errorf("fabricnet: %w", err)
		}
	}
	connection, err := json.Marshal(map[string]any{"address": n.serviceAddress(msp, c), "dial_timeout": "10s", "tls_required": true,
		"client_auth_required": true, "client_key": string(pems[0]), "client_cert": string(pems[1]), "root_cert": string(pems[2])})
	if err != nil {
		return "", "", err
	}
	label := c.name() + "_" + c.Version
	var inner, outer bytes.Buffer
	if err := writeTar(&inner, "connection.json", connection); err != nil {
		return "", "", err
	}
	metadata := fmt.Appendf(nil, `{"type":"ccaas","label":%q,"path":""}`, label)
	if err := writeTar(&outer, "metadata.json", metadata, "code.tar.gz", inner.Bytes()); err != nil {
		return "", "", err
	}
	file = n.org(msp, "chaincode", label+".tar.gz")
	return file, fmt.Sprintf("%s:%x", label, sha256.Sum256(outer.Bytes())), writeFiles("", map[string][]byte{file: outer.Bytes()})
}

// writeTar writes files, given as names and contents in turn, as a compressed archive.
func writeTar(w io.Writer, files ...any) error {
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	for i := 0; i < len(files); i += 2 {
		data := files[i+1].([]byte)
		if err := t.WriteHeader(&tar.Header{Name: files[i].(string), Mode: 0o600, Size: int64(len(data))}); err != nil {
			return err
		}
		if _, err := t.Write(data); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}
