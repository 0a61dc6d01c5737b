// org.testcontainers:testcontainers and org.testcontainers:junit-jupiter, 1.20 or newer; JUnit 5
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;

@Testcontainers
class HistoryTest {
    private static final String TOKEN = "control-api";

    @Container
    private static final GenericContainer<?> mock = new GenericContainer<>("gptbots-mock:0.1.0")
            .withEnv("GPTBOTS_MOCK_ADMIN_TOKEN", TOKEN)
            .withExposedPorts(8484)
            .waitingFor(Wait.forHttp("/__admin/health").forPort(8484));

    @Test
    void firstPage() throws Exception {
        String query = "conversation_type=ALL&start_time=0&end_time=9999999999999&page=1&page_size=10";
        // The part of the key after ~ is the id of this test's sandbox.
        assertEquals(200, status("/v1/bot/conversation/page?" + query, "app-demo~first-page"));
        assertEquals(200, status("/__admin/sandboxes/first-page", TOKEN));
    }

    private static int status(String path, String key) throws Exception {
        String url = "http://" + mock.getHost() + ":" + mock.getMappedPort(8484) + path;
        HttpRequest request = HttpRequest.newBuilder(URI.create(url))
                .header("Authorization", "Bearer " + key)
                .build();
        HttpClient client = HttpClient.newHttpClient();
        return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
    }
}
