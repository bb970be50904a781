package app

import (
	"fmt"

	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/operator/smpp"
)

// CheckOperator tells what is wrong with the settings of one.
func CheckOperator(c config.Operator) error {
	switch c.Type {
	case "", "smpp":
		return smppSettings(c).Check()
	default:
		return fmt.Errorf("type: must be smpp, is %q", c.Type)
	}
}

func smppSettings(c config.Operator) smpp.Settings {
	return smpp.Settings{
		Name: c.Name, Address: c.Address, SystemID: c.SystemID, Password: c.Password, SystemType: c.SystemType,
		Bind: c.Bind, Binds: c.Binds, Window: c.Window, PartsPerSecond: c.PartsPerSecond,
		EnquireEvery: c.EnquireEvery, ResponseWithin: c.ResponseWithin,
		TLS: c.TLS, TLSName: c.TLSName, TLSFile: c.TLSFile, TLSCertFile: c.TLSCertFile, TLSKeyFile: c.TLSKeyFile,
		Destination: c.Destination, DestinationTON: octet(c.DestinationTON), DestinationNPI: octet(c.DestinationNPI),
		SourceTON: octet(c.SourceTON), SourceNPI: octet(c.SourceNPI),
		Long: c.Long, Validity: c.Validity, Receipts: c.Receipts, Alphabet: c.Alphabet, Service: c.Service, Zone: c.Zone,
	}
}

// octet is the number, or one that is refused where it has no place in an octet.
func octet(n *int) *byte {
	if n == nil {
		return nil
	}
	if *n < 0 || *n > 255 {
		return new(byte(255))
	}
	return new(byte(*n))
}
