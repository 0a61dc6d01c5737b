"use strict";

const http = require("node:http");

/** The status of one request. */
function ask({ url, apiKey }, path = "/v1/messages?conversation_id=xxxxxx&page=1&page_size=10") {
  const key = apiKey.replace("app-demo", "your_apikey");
  return new Promise((resolve, reject) => {
    const request = http.get(url + path, { headers: { authorization: `Bearer ${key}` } }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode));
    });
    request.on("error", reject);
  });
}

module.exports = { ask };
