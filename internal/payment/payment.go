// Package payment owns payment orders: what somebody is asked to pay, and the
// link that says so. Taking the money is not here yet.
package payment

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"dargah.dev/dargah/internal/rial"
)

// Path is where a payment page is served; the sealed order follows it.
const Path = "/pay/"

// orderLife is how long a link can be paid.
const orderLife = 24 * time.Hour

// maxLink bounds a sealed order, in bytes of the link.
const maxLink = 1 << 10

// ErrOrder is a link that is not ours or was changed.
var ErrOrder = errors.New("payment: not an order of ours")

// Order is what is to be paid. It travels sealed inside its own link, so an
// inquiry that nobody pays leaves nothing behind and no link can be guessed.
type Order struct {
	Account      string      `json:"a"`
	Service      string      `json:"s"`
	Amount       rial.Amount `json:"m"`
	NationalCode string      `json:"n"`
	Mobile       string      `json:"c"`
	Expires      int64       `json:"x"` // Unix seconds; filled in by Open
}

// Expired tells whether the order can no longer be paid.
func (o Order) Expired(now time.Time) bool { return now.Unix() >= o.Expires }

// Sealer encrypts and proves; what names the use, so that a thing sealed for
// one use cannot be passed off in another.
type Sealer interface {
	Seal(plain []byte, what string) ([]byte, error)
	Unseal(sealed []byte, what string) ([]byte, error)
}

// Cashier opens orders.
type Cashier struct {
	Sealer Sealer
	Base   func() string // the public address of this server, without a slash at the end
	Now    func() time.Time
}

const what = "payment order"

// Open makes the link on which the order is paid.
func (c Cashier) Open(o Order) (string, error) {
	o.Expires = c.Now().Add(orderLife).Unix()
	body, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("open a payment order: %w", err)
	}
	sealed, err := c.Sealer.Seal(body, what)
	if err != nil {
		return "", fmt.Errorf("open a payment order: %w", err)
	}
	return c.Base() + Path + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Read gives the order behind a link's last part; expired ones too. The error
// is ErrOrder.
func (c Cashier) Read(link string) (Order, error) {
	link = strings.TrimSuffix(link, "/")
	if len(link) > maxLink {
		return Order{}, ErrOrder
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(link)
	if err != nil {
		return Order{}, ErrOrder
	}
	body, err := c.Sealer.Unseal(sealed, what)
	if err != nil {
		return Order{}, ErrOrder
	}
	var o Order
	if err := json.Unmarshal(body, &o); err != nil {
		return Order{}, ErrOrder
	}
	return o, nil
}
