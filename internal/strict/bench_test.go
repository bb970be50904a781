package strict_test

import (
	"encoding/json"
	"testing"

	"dargah.dev/dargah/internal/strict"
)

const (
	plainBody   = `{"requestContext":{"apiInfo":{"businessId":"5f6c1e2a-business","businessToken":"0123456789abcdef0123456789abcdef"}},"nationalId":"0012345679","birthDate":"1370/01/02","firstName":"سارا"}`
	escapedBody = `{"requestContext":{"apiInfo":{"businessId":"5f6c1e2a-business","businessToken":"0123456789abcdef"}},"nationalId":"\u06f0\u06f0\u06f1","birthDate":"1370\/01\/02","firstName":"\u0633\u0627\u0631\u0627"}`
	formBody    = `grant_type=password&Client_id=panel&Client_secret=0123456789abcdef&username=someone&password=a%20long+secret`
)

// Not parallel: allocations of other tests would be counted.
func TestAllocationsStayFew(t *testing.T) {
	tests := []struct {
		name string
		most float64
		read func() error
	}{
		{"JSON", 2, func() error { _, err := strict.JSON([]byte(plainBody), strict.Limits{}); return err }},
		{"escaped JSON", 5, func() error { _, err := strict.JSON([]byte(escapedBody), strict.Limits{}); return err }},
		{"form", 3, func() error { _, err := strict.Form([]byte(formBody), strict.Limits{}); return err }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.read(); err != nil {
				t.Fatal(err)
			}
			if got := testing.AllocsPerRun(100, func() { _ = tt.read() }); got > tt.most {
				t.Errorf("%v allocations, at most %v wanted", got, tt.most)
			}
		})
	}
}

func BenchmarkJSON(b *testing.B) {
	for name, body := range map[string]string{"plain": plainBody, "escaped": escapedBody, "items": items(1000)} {
		b.Run(name, func(b *testing.B) { benchmarkReader(b, strict.JSON, body) })
	}
}

func BenchmarkFoldJSON(b *testing.B) {
	benchmarkReader(b, strict.FoldJSON, plainBody)
}

func benchmarkReader(b *testing.B, read func([]byte, strict.Limits) (strict.Object, error), body string) {
	bytes := []byte(body)
	b.ReportAllocs()
	b.SetBytes(int64(len(bytes)))
	for b.Loop() {
		object, err := read(bytes, strict.Limits{})
		if err != nil || !object.Has("nationalId") && object.Len() != 1 {
			b.Fatal(err)
		}
	}
}

// BenchmarkStandardJSON is the measure to compare with.
func BenchmarkStandardJSON(b *testing.B) {
	bytes := []byte(plainBody)
	b.ReportAllocs()
	b.SetBytes(int64(len(bytes)))
	for b.Loop() {
		var body struct {
			RequestContext struct {
				APIInfo struct{ BusinessID, BusinessToken string }
			}
			NationalID, BirthDate, FirstName string
		}
		if err := json.Unmarshal(bytes, &body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkForm(b *testing.B) {
	bytes := []byte(formBody)
	b.ReportAllocs()
	b.SetBytes(int64(len(bytes)))
	for b.Loop() {
		fields, err := strict.Form(bytes, strict.Limits{})
		if _, present := fields.Get("client_secret"); err != nil || !present {
			b.Fatal(err)
		}
	}
}
