package app_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/fixture"
	"dargah.dev/dargah/internal/sms"
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

func login(t *testing.T, s *testkit.Server) (token string) {
	t.Helper()
	var made struct{ Token string }
	status, text := call(t, "POST", s.URL+"/auth/token", "", `{"userName":"testuser","password":"T0ken-Passw0rd","domain":"sms.smsafzar"}`)
	if err := json.Unmarshal([]byte(text), &made); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	return made.Token
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
	token := login(t, s)
	status, text := call(t, "GET", s.URL+"/account/balance", token, "")
	number := regexp.MustCompile(`^\{"errorCode":(\d{10}),"errorMessage":"خطایی در سرور رخ داده است\. \| شناسه خطا : (\d{10})"\}$`).FindStringSubmatch(text)
	if status != http.StatusInternalServerError || number == nil || number[1] != number[2] {
		t.Fatalf("first: %d %s", status, text)
	}
	if !strings.Contains(s.Log.String(), `"trace":`+number[1]) {
		t.Error("the number is not in the log")
	}
	if status, text := call(t, "GET", s.URL+"/account/balance", token, ""); status != http.StatusServiceUnavailable {
		t.Errorf("second: %d %s", status, text)
	}
	if status, text := call(t, "GET", s.URL+"/account/balance", token, ""); status != http.StatusOK || !strings.Contains(text, "5000000") {
		t.Errorf("third: %d %s", status, text)
	}
}

// SMS-6: of a hundred messages to one number in an hour, and of those abroad, no
// more go out than may, whoever runs the installation hears of it at once, and
// nobody pays for what was refused.
func TestPumpingIsRefusedAndTold(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{World: func(w *fixture.World) {
		w.Prices["sms"] = 100
		w.Accounts[0].SMS.SpendDay = 2250
	}})
	token := login(t, s)
	send := func(number string) int {
		status, _ := call(t, "POST", s.URL+"/messages/send", token, `{"senderNumber":"30001234","recipientNumber":"`+number+`","content":"x"}`)
		return status
	}
	byStatus := map[int]int{}
	for range 100 {
		byStatus[send("09121234567")]++
	}
	if byStatus[http.StatusOK] != sms.DefaultLimits.Number || byStatus[http.StatusTooManyRequests] != 100-sms.DefaultLimits.Number {
		t.Errorf("a hundred to one number: %v", byStatus)
	}
	alarms := regexp.MustCompile(`an account has met its limit of messages.*"limit":"number"`).FindAllString(s.Log.String(), -1)
	if len(alarms) != 1 || strings.Contains(s.Log.String(), "9121234567") {
		t.Errorf("told of %d times, and the number is told too: %v", len(alarms), strings.Contains(s.Log.String(), "9121234567"))
	}
	for _, abroad := range []string{"+14155550100", "00447700900123", "+99299999999", "0093701234567", "02112345678"} {
		if status := send(abroad); status != http.StatusBadRequest {
			t.Errorf("to %s: %d", abroad, status)
		}
	}
	// The day's 2,250 rials are for 22 messages of 100.
	for i, want := range []int{http.StatusOK, http.StatusOK, http.StatusTooManyRequests} {
		if status := send("0913000000" + strconv.Itoa(i)); status != want {
			t.Errorf("message %d: %d, want %d", 21+i, status, want)
		}
	}
	if status, text := call(t, "GET", s.URL+"/account/balance", token, ""); status != http.StatusOK || !strings.Contains(text, "4997800") {
		t.Errorf("22 messages were sent: %d %s", status, text)
	}
}
