package app_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/testkit"
)

func call(t *testing.T, method, url, bearer, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// A sandbox must be able to show its users every failure, that of the SMS
// panels' own servers included.
func TestScenariosReachTheBalance(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: func(w *fixture.World) {
		w.Scenarios = []fixture.Scenario{
			{Service: "sms", When: map[string]string{}, Then: fixture.Then{Fault: fixture.InternalFault, Times: 1}},
			{Service: "sms", When: map[string]string{}, Then: fixture.Then{Fault: fixture.UpstreamUnavailable, Times: 1}},
			{Service: "sms", When: map[string]string{"recipient": "09120000001"}, Then: fixture.Then{Fault: fixture.NotFound}},
		}
	}})
	var made struct{ Token string }
	status, text := call(t, "POST", s.URL+"/auth/token", "", `{"userName":"testuser","password":"T0ken-Passw0rd","domain":"sms.smsafzar"}`)
	if err := json.Unmarshal([]byte(text), &made); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	status, text = call(t, "GET", s.URL+"/account/balance", made.Token, "")
	number := regexp.MustCompile(`^\{"errorCode":(\d{10}),"errorMessage":"خطایی در سرور رخ داده است\. \| شناسه خطا : (\d{10})"\}$`).FindStringSubmatch(text)
	if status != http.StatusInternalServerError || number == nil || number[1] != number[2] {
		t.Fatalf("first: %d %s", status, text)
	}
	if !strings.Contains(s.Log.String(), `"trace":`+number[1]) {
		t.Error("the number is not in the log")
	}
	if status, text := call(t, "GET", s.URL+"/account/balance", made.Token, ""); status != http.StatusServiceUnavailable {
		t.Errorf("second: %d %s", status, text)
	}
	if status, text := call(t, "GET", s.URL+"/account/balance", made.Token, ""); status != http.StatusOK || !strings.Contains(text, "5000000") {
		t.Errorf("third: %d %s", status, text)
	}
}
