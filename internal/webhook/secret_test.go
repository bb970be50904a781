package webhook_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"dargah.dev/dargah/internal/webhook"
)

// TestSignature compares with what openssl made of the same id, time and body:
// printf 'msg_1.1790000000.{"a":1}' | openssl dgst -sha256 -hmac … -binary | base64
func TestSignature(t *testing.T) {
	t.Parallel()
	key := []byte("made-up-key-of-24-bytes!")
	w := webhook.Webhook{Secret: webhook.Secret("whsec_" + base64.StdEncoding.EncodeToString(key))}
	at := time.Unix(1_790_000_000, 0)
	got, err := w.Signature("msg_1", at, []byte(`{"a":1}`))
	if want := "v1,jnE2+lo/FCIZJESD/Hw+HocWhwVPOsVTGg7wFaa/XAY="; err != nil || got != want {
		t.Errorf("%q, want %q: %v", got, want, err)
	}
	w.Former, w.FormerUntil = webhook.NewSecret(), at.Add(time.Second)
	if both, err := w.Signature("msg_1", at, []byte(`{"a":1}`)); err != nil || !strings.HasPrefix(both, got+" v1,") || strings.Count(both, " ") != 1 {
		t.Errorf("with a former secret: %q: %v", both, err)
	}
	if later, err := w.Signature("msg_1", at.Add(time.Second), nil); err != nil || strings.Contains(later, " ") {
		t.Errorf("the former secret still signs: %q: %v", later, err)
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	encoded := func(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for text, good := range map[string]bool{
		encoded(24): true, encoded(64): true, webhook.NewSecret().Text(): true,
		encoded(23): false, encoded(65): false, strings.TrimPrefix(encoded(24), "whsec_"): false, "whsec_!": false, "": false, "whsec_": false,
	} {
		_, err := webhook.ReadSecret(text)
		if (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && len(text) > 10 && strings.Contains(err.Error(), text) {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
	secret := webhook.NewSecret()
	if webhook.NewSecret() == secret {
		t.Error("the same secret twice")
	}
	asJSON, err := json.Marshal(webhook.Webhook{Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(secret), fmt.Sprintf("%#v", secret), string(asJSON), fmt.Sprintf("%+v", webhook.Webhook{Secret: secret})} {
		if strings.Contains(shown, secret.Text()) {
			t.Errorf("shown: %s", shown)
		}
	}
}
