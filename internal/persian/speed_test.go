package persian

import "testing"

// TestParsersOnPlainInput counts allocations, so it is not parallel: other tests'
// would count too.
func TestParsersOnPlainInput(t *testing.T) {
	for name, c := range map[string]struct {
		parse func() error
		most  float64
	}{
		"national code": {func() error { _, err := ParseNationalCode("0012345679"); return err }, 0},
		"mobile":        {func() error { _, err := ParseMobile("09121234567"); return err }, 0},
		"mobile +98":    {func() error { _, err := ParseMobile("+989121234567"); return err }, 1},
		"date":          {func() error { _, err := ParseDate("1372/11/02"); return err }, 0},
		"iban":          {func() error { _, err := ParseIBAN("IR820540102680020817909002"); return err }, 0},
		"card":          {func() error { _, err := ParseCard("6037701689095443"); return err }, 0},
		"postal code":   {func() error { _, err := ParsePostalCode("1193653471"); return err }, 0},
		"legal id":      {func() error { _, err := ParseLegalID("10380284790"); return err }, 0},
	} {
		if err := c.parse(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := testing.AllocsPerRun(200, func() { _ = c.parse() }); got > c.most {
			t.Errorf("%s allocates %v times, at most %v is needed", name, got, c.most)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for name, parse := range map[string]func() error{
		"nationalcode/plain":   func() error { _, err := ParseNationalCode("0012345679"); return err },
		"nationalcode/persian": func() error { _, err := ParseNationalCode("۰۰۱۲۳۴۵۶۷۹"); return err },
		"nationalcode/refused": func() error { _, _ = ParseNationalCode("0012345678"); return nil },
		"mobile/plain":         func() error { _, err := ParseMobile("09121234567"); return err },
		"date/plain":           func() error { _, err := ParseDate("1372/11/02"); return err },
		"date/persian":         func() error { _, err := ParseDate("۱۳۷۲/۱۱/۰۲"); return err },
		"key/plain":            func() error { Key("testuser"); return nil },
		"key/persian":          func() error { Key("سید علي"); return nil },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := parse(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
