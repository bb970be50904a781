/* libcurl's easy interface: CUSTOMREQUEST, FOLLOWLOCATION, a header list and POSTFIELDS. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reply {
	char text[65536];
	size_t length;
};

static size_t keep(char *data, size_t size, size_t count, void *into) {
	struct reply *reply = into;
	size_t bytes = size * count;
	if (reply->length + bytes >= sizeof reply->text) {
		return 0;
	}
	memcpy(reply->text + reply->length, data, bytes);
	reply->length += bytes;
	reply->text[reply->length] = '\0';
	return bytes;
}

static const char *setting(const char *name) {
	const char *value = getenv(name);
	if (value == NULL) {
		fprintf(stderr, "%s is not set\n", name);
		exit(2);
	}
	return value;
}

static void report(const char *step, const char *path, struct curl_slist *headers, const char *body,
		struct reply *reply) {
	char url[512];
	long status = 0;
	CURL *curl = curl_easy_init();
	if (curl == NULL) {
		exit(1);
	}
	snprintf(url, sizeof url, "%s%s", setting("DARGAH_BASE"), path);
	reply->length = 0;
	reply->text[0] = '\0';
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "POST");
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(curl, CURLOPT_DEFAULT_PROTOCOL, "https");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
	CURLcode result = curl_easy_perform(curl);
	if (result != CURLE_OK) {
		fprintf(stderr, "%s: %s\n", step, curl_easy_strerror(result));
		exit(1);
	}
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	printf("{\"step\":\"%s\",\"status\":%ld,\"body\":%s}\n", step, status, reply->text);
}

/* The value of a string member, found by its name: enough for a token, which needs no unescaping. */
static void member(const char *json, const char *name, char *into, size_t size) {
	const char *at = strstr(json, name);
	into[0] = '\0';
	if (at == NULL || (at = strchr(at, ':')) == NULL || (at = strchr(at, '"')) == NULL) {
		return;
	}
	size_t length = strcspn(++at, "\"");
	if (length < size) {
		memcpy(into, at, length);
		into[length] = '\0';
	}
}

int main(void) {
	static struct reply reply;
	char form[2048], question[256], token[8192], bearer[8256];
	curl_global_init(CURL_GLOBAL_DEFAULT);

	CURL *coder = curl_easy_init();
	char *id = curl_easy_escape(coder, setting("DARGAH_CLIENT_ID"), 0);
	char *secret = curl_easy_escape(coder, setting("DARGAH_CLIENT_SECRET"), 0);
	char *user = curl_easy_escape(coder, setting("DARGAH_USERNAME"), 0);
	char *password = curl_easy_escape(coder, setting("DARGAH_PASSWORD"), 0);
	snprintf(form, sizeof form, "grant_type=password&client_id=%s&Client_secret=%s&username=%s&password=%s", id,
			secret, user, password);
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/x-www-form-urlencoded");
	report("token", "/identity/token", headers, form, &reply);

	member(reply.text, "\"access_token\"", token, sizeof token);
	snprintf(bearer, sizeof bearer, "Authorization: Bearer %s", token);
	snprintf(question, sizeof question, "{\"NationalCode\":\"%s\",\"Cellphone\":\"%s\"}",
			setting("DARGAH_NATIONAL_CODE"), setting("DARGAH_MOBILE"));
	struct curl_slist *authorized = curl_slist_append(NULL, "Content-Type: application/json");
	authorized = curl_slist_append(authorized, bearer);
	report("info", "/ai/etebar/info", authorized, question, &reply);

	curl_free(id);
	curl_free(secret);
	curl_free(user);
	curl_free(password);
	curl_easy_cleanup(coder);
	curl_slist_free_all(headers);
	curl_slist_free_all(authorized);
	curl_global_cleanup();
	return 0;
}
