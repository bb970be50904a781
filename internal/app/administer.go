package app

import (
	"encoding/json"
	"fmt"

	"dargah.dev/dargah/internal/store"
)

// ChangeOrigins changes the browser origins that may call. What edit returns
// unchanged with an error is left as it is.
func ChangeOrigins(c *store.Change, edit func([]string) ([]string, error)) error {
	text, ok, err := c.Setting(settingOrigins)
	if err != nil {
		return err
	}
	var origins []string
	if ok {
		if origins, err = decode[[]string]("origins", []byte(text)); err != nil {
			return err
		}
	}
	if origins, err = edit(origins); err != nil {
		return err
	}
	kept, err := json.Marshal(origins)
	if err != nil {
		return fmt.Errorf("keep the origins: %w", err)
	}
	return c.PutSetting(settingOrigins, string(kept))
}

// ChangeScripts changes the scenarios.
func ChangeScripts(c *store.Change, edit func([]Script) ([]Script, error)) error {
	text, err := c.Secret(secretScenarios)
	if err != nil {
		return err
	}
	var scripts []Script
	if text != nil {
		if scripts, err = decode[[]Script]("scenarios", text); err != nil {
			return err
		}
	}
	if scripts, err = edit(scripts); err != nil {
		return err
	}
	kept, err := json.Marshal(scripts)
	if err != nil {
		return fmt.Errorf("keep the scenarios: %w", err)
	}
	return c.PutSecret(secretScenarios, kept)
}
