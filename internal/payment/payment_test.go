package payment_test

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"dargah.dev/dargah/internal/payment"
)

// paper seals nothing, so that the fuzzer reaches what is inside a link.
type paper struct{}

func (paper) Seal(plain []byte, _ string) ([]byte, error)    { return plain, nil }
func (paper) Unseal(sealed []byte, _ string) ([]byte, error) { return sealed, nil }

func FuzzRead(f *testing.F) {
	c := payment.Cashier{
		Sealer: paper{}, Base: func() string { return "" },
		Now: func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) },
	}
	link, err := c.Open(payment.Order{Account: "a", Service: "credit", Amount: 1})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		link[len(payment.Path):], "", "/", "..", "AAAA", base64.RawURLEncoding.EncodeToString([]byte(`{"m":1e999}`)),
		base64.RawURLEncoding.EncodeToString([]byte(`[[[[`)), "\xff", "%2e%2e",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, link string) {
		if _, err := c.Read(link); err != nil && !errors.Is(err, payment.ErrOrder) {
			t.Fatalf("%v, want ErrOrder", err)
		}
	})
}
