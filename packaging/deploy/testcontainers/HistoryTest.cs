// dotnet add package Testcontainers (4.10 or newer); xUnit 2
using System.Net;
using System.Net.Http.Headers;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Containers;
using Xunit;

public sealed class HistoryTest : IAsyncLifetime
{
    private const string Token = "control-api";

    private readonly IContainer mock = new ContainerBuilder("gptbots-mock:0.1.0")
        .WithEnvironment("GPTBOTS_MOCK_ADMIN_TOKEN", Token)
        .WithPortBinding(8484, true)
        .WithWaitStrategy(Wait.ForUnixContainer().UntilHttpRequestIsSucceeded(
            request => request.ForPath("/__admin/health").ForPort(8484)))
        .Build();

    public Task InitializeAsync() => mock.StartAsync();

    public Task DisposeAsync() => mock.DisposeAsync().AsTask();

    [Fact]
    public async Task FirstPage()
    {
        var query = "conversation_type=ALL&start_time=0&end_time=9999999999999&page=1&page_size=10";
        // The part of the key after ~ is the id of this test's sandbox.
        Assert.Equal(HttpStatusCode.OK, await Status($"/v1/bot/conversation/page?{query}", "app-demo~first-page"));
        Assert.Equal(HttpStatusCode.OK, await Status("/__admin/sandboxes/first-page", Token));
    }

    private async Task<HttpStatusCode> Status(string path, string key)
    {
        using var client = new HttpClient();
        client.BaseAddress = new UriBuilder("http", mock.Hostname, mock.GetMappedPublicPort(8484)).Uri;
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var response = await client.GetAsync(path);
        return response.StatusCode;
    }
}
