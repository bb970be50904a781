// Command nethttp is the page's Go client: http.NewRequest, a string body and a zero http.Client.
// It owns no check: it prints what it got, and the test beside it judges.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	form := "grant_type=password&client_id=" + url.QueryEscape(os.Getenv("DARGAH_CLIENT_ID")) +
		"&Client_secret=" + url.QueryEscape(os.Getenv("DARGAH_CLIENT_SECRET")) +
		"&username=" + url.QueryEscape(os.Getenv("DARGAH_USERNAME")) +
		"&password=" + url.QueryEscape(os.Getenv("DARGAH_PASSWORD"))
	issued, err := report("token", "/identity/token", "application/x-www-form-urlencoded", "", form)
	if err != nil {
		return fmt.Errorf("ask for a token: %w", err)
	}
	var login struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(issued, &login); err != nil {
		return fmt.Errorf("read the token: %w", err)
	}
	question := fmt.Sprintf(`{"NationalCode":%q,"Cellphone":%q}`,
		os.Getenv("DARGAH_NATIONAL_CODE"), os.Getenv("DARGAH_MOBILE"))
	_, err = report("info", "/ai/etebar/info", "application/json", "Bearer "+login.AccessToken, question)
	return err
}

func report(step, path, contentType, authorization, payload string) ([]byte, error) {
	client := &http.Client{}
	req, err := http.NewRequest(http.MethodPost, os.Getenv("DARGAH_BASE")+path, strings.NewReader(payload))
	if err != nil {
		return nil, err
	}
	req.Header.Add("Content-Type", contentType)
	if authorization != "" {
		req.Header.Add("Authorization", authorization)
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	fmt.Printf("{\"step\":%q,\"status\":%d,\"body\":%s}\n", step, res.StatusCode, body)
	return body, nil
}
