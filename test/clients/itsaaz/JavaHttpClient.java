import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * java.net.http in its default state, which offers an upgrade to HTTP/2 on the first plain request.
 * The form is put together as it is, unescaped, as the page's Java sample does.
 */
class JavaHttpClient {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    public static void main(String[] args) throws Exception {
        String form = "grant_type=password"
                + "&client_id=" + System.getenv("DARGAH_CLIENT_ID")
                + "&Client_secret=" + System.getenv("DARGAH_CLIENT_SECRET")
                + "&username=" + System.getenv("DARGAH_USERNAME")
                + "&password=" + System.getenv("DARGAH_PASSWORD");
        String issued = report("token", to("/identity/token", "application/x-www-form-urlencoded", form).build());

        String question = "{\"NationalCode\":\"" + System.getenv("DARGAH_NATIONAL_CODE")
                + "\",\"Cellphone\":\"" + System.getenv("DARGAH_MOBILE") + "\"}";
        report("info", to("/ai/etebar/info", "application/json", question)
                .header("Authorization", "Bearer " + member(issued, "access_token"))
                .build());
    }

    private static HttpRequest.Builder to(String path, String contentType, String body) {
        return HttpRequest.newBuilder()
                .uri(URI.create(System.getenv("DARGAH_BASE") + path))
                .header("Content-Type", contentType)
                .POST(HttpRequest.BodyPublishers.ofString(body));
    }

    private static String report(String step, HttpRequest request) throws IOException, InterruptedException {
        HttpResponse<String> response = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println("{\"step\":\"" + step + "\",\"status\":" + response.statusCode()
                + ",\"body\":" + response.body().strip() + "}");
        return response.body();
    }

    private static String member(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"([^\"]*)\"").matcher(json);
        return found.find() ? found.group(1) : "";
    }
}
