package smpp

import (
	"context"
	"net"
)

// Through has the settings connect by dial.
func (s Settings) Through(dial func(context.Context) (net.Conn, error)) Settings {
	s.dial = dial
	return s
}
