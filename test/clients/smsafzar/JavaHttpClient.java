import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** java.net.http with the page's three headers; the account is a map turned into JSON. */
class JavaHttpClient {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    public static void main(String[] args) throws Exception {
        Map<String, String> account = new LinkedHashMap<>();
        account.put("userName", System.getenv("DARGAH_USERNAME"));
        account.put("password", System.getenv("DARGAH_PASSWORD"));
        account.put("domain", System.getenv("DARGAH_DOMAIN"));

        String issued = report("token", to("/auth/token").POST(BodyPublishers.ofString(json(account))).build());
        report("balance", to("/account/balance").header("Authorization", "Bearer " + token(issued)).GET().build());
    }

    private static HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder()
                .uri(URI.create(System.getenv("DARGAH_BASE") + path))
                .header("Content-Type", "application/json")
                .header("Cache-Control", "no-cache")
                .header("Accept", "application/json");
    }

    private static String report(String step, HttpRequest request) throws IOException, InterruptedException {
        HttpResponse<String> response = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println("{\"step\":\"" + step + "\",\"status\":" + response.statusCode()
                + ",\"body\":" + response.body().strip() + "}");
        return response.body();
    }

    private static String json(Map<String, String> members) {
        return members.entrySet().stream()
                .map(member -> "\"" + member.getKey() + "\":\"" + member.getValue() + "\"")
                .collect(Collectors.joining(",", "{", "}"));
    }

    private static String token(String json) {
        Matcher found = Pattern.compile("\"token\"\\s*:\\s*\"([^\"]*)\"").matcher(json);
        return found.find() ? found.group(1) : "";
    }
}
