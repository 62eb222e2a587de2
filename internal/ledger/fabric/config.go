// Package fabric is the ledger between organisations: a client of a Hyperledger Fabric channel that believes no peer. It
// follows the blocks, checks them, and keeps what they say of the world state on its own disk.
package fabric

// Config says where a channel is and what to believe of it.
type Config struct {
	Channel   string `koanf:"channel" yaml:"channel"`     // its name
	Chaincode string `koanf:"chaincode" yaml:"chaincode"` // name of our chaincode on it
	// Genesis is a file: the channel's first block. All trust begins with it, so it must come from somebody who is trusted,
	// not from a peer.
	Genesis  string `koanf:"genesis" yaml:"genesis"`
	Peers    []Node `koanf:"peers" yaml:"peers"`       // the member's own first: they are asked in this order
	Orderers []Node `koanf:"orderers" yaml:"orderers"` // any order
}

// Node is a peer or an orderer.
type Node struct {
	MSP     string `koanf:"msp" yaml:"msp"`         // MSP ID of the organisation that runs it
	Address string `koanf:"address" yaml:"address"` // host:port
	TLSCA   string `koanf:"tlsca" yaml:"tlsca"`     // file: PEM certificates of the authority of its TLS certificate
	// ServerName is the name in its TLS certificate; "": the host of Address.
	ServerName string `koanf:"servername" yaml:"servername,omitempty"`
}
