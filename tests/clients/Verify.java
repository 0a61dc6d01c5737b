import static com.github.tomakehurst.wiremock.client.WireMock.*;

import com.github.tomakehurst.wiremock.client.VerificationException;
import com.github.tomakehurst.wiremock.client.WireMock;
import com.github.tomakehurst.wiremock.common.ClientError;
import com.github.tomakehurst.wiremock.http.RequestMethod;
import com.github.tomakehurst.wiremock.matching.RequestPatternBuilder;
import com.github.tomakehurst.wiremock.stubbing.ServeEvent;
import com.github.tomakehurst.wiremock.admin.model.ServeEventQuery;
import com.github.tomakehurst.wiremock.verification.LoggedRequest;
import com.github.tomakehurst.wiremock.verification.NearMiss;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.UUID;

/** Verifies requests with WireMock's own client: java -cp wiremock-standalone.jar Verify.java URL */
public class Verify {
  static final String QUERY = "/v1/messages?conversation_id=xxxxxx&page=1&page_size=100";

  static String url;

  static int ask(String path, String... headers) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + path));
    request.header("Authorization", "Bearer your_apikey");
    if (headers.length > 0) request.headers(headers);
    HttpResponse.BodyHandler<String> text = HttpResponse.BodyHandlers.ofString();
    return HttpClient.newHttpClient().send(request.build(), text).statusCode();
  }

  static void same(Object expected, Object got) {
    if (!expected.equals(got)) throw new AssertionError("expected " + expected + ", got " + got);
  }

  static void holds(String text, String part) {
    if (!text.contains(part)) throw new AssertionError("no " + part + " in " + text);
  }

  static void lacks(String text, String part) {
    if (text.contains(part)) throw new AssertionError(part + " is in " + text);
  }

  /** The message of a failure, which has to come. */
  static <T extends Throwable> String failure(Class<T> kind, Runnable what) {
    try {
      what.run();
    } catch (Throwable error) {
      if (kind.isInstance(error)) return error.getMessage();
      throw new AssertionError("another failure", error);
    }
    throw new AssertionError("no failure");
  }

  interface Step {
    void run() throws Exception;
  }

  /** Runs a step against three requests: two for messages, one to nowhere. */
  static void step(String name, Step step) throws Exception {
    resetAllRequests();
    same(List.of(200, 200, 404), List.of(ask(QUERY, "Cookie", "lang=en"), ask("/s/java" + QUERY), ask("/v1/message?key=s3cr3t-99")));
    try {
      step.run();
    } catch (Throwable error) {
      throw new AssertionError("Java: " + name, error);
    }
    System.out.println("Java: " + name);
  }

  static RequestPatternBuilder messages() {
    return getRequestedFor(urlPathEqualTo("/v1/messages"));
  }

  static int count(RequestPatternBuilder pattern) {
    return findAll(pattern).size();
  }

  public static void main(String[] args) throws Exception {
    url = args[0];
    URI server = URI.create(url);
    configureFor(server.getHost(), server.getPort());
    WireMock client = new WireMock(server.getHost(), server.getPort());

    step("verify(pattern), verify(count, pattern), verify(comparison, pattern)", () -> {
      verify(getRequestedFor(urlEqualTo(QUERY)));
      verify(2, messages());
      verify(lessThan(3), messages());
      verify(moreThanOrExactly(3), anyRequestedFor(anyUrl()));
      verify(0, postRequestedFor(anyUrl()));
    });
    step("verify without a match names the nearest request", () -> {
      String missed = failure(VerificationException.class, () -> verify(
          getRequestedFor(urlPathEqualTo("/v1/mesages")).withHeader("Authorization", equalTo("Bearer your_apikey"))));
      holds(missed, "/v1/mesages");
      holds(missed, "/v1/message");
      // The client shows its own pattern beside the request.
      lacks(missed.split("but was")[1], "your_apikey");
      holds(failure(VerificationException.class, () -> verify(3, messages())), "/v1/messages");
      resetAllRequests();
      failure(VerificationException.class, () -> verify(messages()));
    });
    step("the url: urlMatching, urlPathMatching, urlPathTemplate with path parameters", () -> {
      same(3, count(getRequestedFor(urlMatching("/v1/mess.*"))));
      same(2, count(getRequestedFor(urlPathMatching("/v[12]/messages"))));
      same(2, count(getRequestedFor(urlPathTemplate("/v1/{what}")).withPathParam("what", equalTo("messages"))));
    });
    step("values: equalTo, equalToIgnoreCase, containing, notContaining, matching, notMatching, absent", () -> {
      same(2, count(messages().withQueryParam("page", equalTo("1"))));
      same(2, count(messages().withQueryParam("conversation_id", equalToIgnoreCase("XXXXXX"))));
      same(2, count(messages().withQueryParam("page_size", containing("0"))));
      same(2, count(messages().withQueryParam("page_size", notContaining("5"))));
      same(2, count(messages().withQueryParam("page", matching("\\d"))));
      same(2, count(messages().withQueryParam("page", notMatching("[a-z]"))));
      same(2, count(messages().withQueryParam("sort", absent())));
      same(2, count(messages().withoutQueryParam("sort")));
    });
    step("values: not, and, or, havingExactly, including", () -> {
      same(2, count(messages().withQueryParam("page", not(equalTo("2")))));
      same(2, count(messages().withQueryParam("page_size", and(containing("1"), containing("0")))));
      same(2, count(messages().withQueryParam("page", or(equalTo("1"), equalTo("2")))));
      same(2, count(messages().withQueryParam("page", or(equalTo("1"), absent()))));
      same(2, count(messages().withQueryParam("page", havingExactly("1"))));
      same(2, count(messages().withQueryParam("page", including("1"))));
      same(0, count(messages().withQueryParam("page", havingExactly("1", "2"))));
    });
    step("scheme, host, port, client address, headers, cookies", () -> {
      same(2, count(messages().withScheme("http")));
      same(2, count(messages().withHost(equalTo(server.getHost()))));
      same(2, count(messages().withPort(server.getPort())));
      same(2, count(messages().withClientIp(equalTo("127.0.0.1"))));
      same(2, count(messages().withHeader("authorization", equalTo("Bearer your_apikey"))));
      same(2, count(messages().withoutHeader("X-None")));
      same(1, count(messages().withCookie("lang", equalTo("en"))));
      same(1, count(messages().withCookie("lang", absent())));
    });
    step("countRequestsMatching", () ->
        same(2, admin(server).countRequestsMatching(messages().build()).getCount()));
    step("getAllServeEvents, getServeEvents(unmatched), getServedStub", () -> {
      List<ServeEvent> events = getAllServeEvents();
      same(3, events.size());
      same(List.of(false, true, true), events.stream().map(ServeEvent::getWasMatched).toList());
      ServeEvent newest = events.get(0);
      same("/v1/message?key=****t-99", newest.getRequest().getUrl());
      same("Bearer ****ikey", newest.getRequest().getHeader("Authorization"));
      same(404, newest.getResponse().getStatus());
      same(1, getAllServeEvents(ServeEventQuery.ALL_UNMATCHED).size());
      same(newest.getId(), client.getServeEvents().get(0).getId());
      same(newest.getId(), admin(server).getServedStub(newest.getId()).getItem().getId());
    });
    step("findAll, findAllUnmatchedRequests", () -> {
      same(QUERY, findAll(messages()).get(0).getUrl());
      List<LoggedRequest> unmatched = findUnmatchedRequests();
      same(1, unmatched.size());
      same(RequestMethod.GET, unmatched.get(0).getMethod());
      same(1, client.findAllUnmatchedRequests().size());
    });
    step("findNearMissesFor(pattern)", () -> {
      List<NearMiss> misses = findNearMissesFor(
          getRequestedFor(urlPathEqualTo("/v1/mesages")).withHeader("Authorization", matching(".*your_apikey")));
      same(3, misses.size());
      double before = 0;
      for (NearMiss miss : misses) {
        double distance = miss.getMatchResult().getDistance();
        if (distance < before || distance <= 0 || distance > 1) throw new AssertionError(distance);
        before = distance;
        lacks(miss.toString(), "your_apikey");
        same("/v1/mesages", miss.getRequestPattern().getUrlPath());
      }
    });
    step("findNearMissesFor(request)", () -> {
      List<NearMiss> misses = findNearMissesFor(findUnmatchedRequests().get(0));
      same(3, misses.size());
      same("/v1/messages", misses.get(0).getStubMapping().getRequest().getUrlPath());
      holds(misses.get(0).toString(), "/v1/messages");
    });
    step("findNearMissesForAllUnmatched", () -> {
      List<NearMiss> misses = findNearMissesForAllUnmatched();
      same(3, misses.size());
      same("/v1/message?key=****t-99", misses.get(0).getRequest().getUrl());
      same("/v1/messages", misses.get(0).getStubMapping().getRequest().getUrlPath());
    });
    step("removeServeEvent, removeServeEvents", () -> {
      removeServeEvent(getAllServeEvents().get(0).getId());
      same(2, getAllServeEvents().size());
      same(2, removeServeEvents(messages()).size());
      same(0, getAllServeEvents().size());
      removeServeEvent(UUID.randomUUID());
    });
    step("resetAllRequests, WireMock.reset", () -> {
      resetAllRequests();
      same(0, getAllServeEvents().size());
      ask(QUERY);
      WireMock.reset();
      same(0, getAllServeEvents().size());
    });
    step("a refusal is WireMock's error", () -> {
      String refused = failure(ClientError.class, () -> count(postRequestedFor(anyUrl()).withRequestBody(containing("x"))));
      holds(refused, "/bodyPatterns");
    });
  }

  static com.github.tomakehurst.wiremock.client.HttpAdminClient admin(URI server) {
    return new com.github.tomakehurst.wiremock.client.HttpAdminClient(server.getHost(), server.getPort());
  }
}
