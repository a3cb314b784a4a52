// SPDX-License-Identifier: Apache-2.0

extension AdminPage {
    /// What the page's parts are, without their content.
    static let markup = """
        <body>
        <a class="skip" href="#services">Skip to the services</a>
        <div class="page">
        <header>
          <h1>Apus admin</h1>
          <span id="ready" class="tag"></span>
          <span id="uptime" class="soft wide"></span>
          <span class="grow"></span>
          <span id="link" class="tag" role="status">connecting</span>
          <button id="pause" type="button" aria-pressed="false">Pause</button>
        </header>
        <noscript><p class="card">The page needs JavaScript; <a href="/rpcz">/rpcz</a>, <a href="/config">/config</a>,
          <a href="/connections">/connections</a> and <a href="/loops">/loops</a> are plain text.</p></noscript>
        <form id="login" class="card" hidden>
          <label for="token">This page asks for a token.<br>
            <input id="token" type="password" autocomplete="off" required></label>
          <button type="submit">Open</button>
          <span id="wrong" class="bad" role="alert"></span>
        </form>
        <main id="main" hidden>
          <dl class="figures" id="totals"></dl>
          <figure id="traffic"></figure>
          <section aria-labelledby="services-title" id="services" tabindex="-1">
            <h2 id="services-title">Services called</h2>
            <div id="service-list"></div>
          </section>
          <section aria-labelledby="served-title" id="served">
            <h2 id="served-title">Methods served</h2>
            <div class="card scroll" tabindex="0" role="region" aria-labelledby="served-title" id="served-table"></div>
          </section>
          <div class="pair">
            <section aria-labelledby="failed-title"><h2 id="failed-title">Calls that failed</h2>
              <div class="card"><ul class="calls" id="failed"></ul></div></section>
            <section aria-labelledby="slow-title"><h2 id="slow-title">Slow or retried calls</h2>
              <div class="card"><ul class="calls" id="slow"></ul></div></section>
            <section aria-labelledby="events-title"><h2 id="events-title">Events</h2>
              <div class="card"><ul class="events" id="events"></ul></div></section>
            <section aria-labelledby="loops-title"><h2 id="loops-title">Event loops and servers</h2>
              <div class="card"><div id="loops"></div><div id="servers"></div></div></section>
          </div>
          <section aria-labelledby="policies-title">
            <h2 id="policies-title">Policies in force</h2>
            <details class="card" id="policies"><summary>Channels and servers with their policies</summary>
              <div id="policy-list"></div></details>
          </section>
        </main>
        <footer id="links">
          <a href="/metrics">/metrics</a> <a href="/rpcz">/rpcz</a> <a href="/config">/config</a>
          <a href="/connections">/connections</a> <a href="/loops">/loops</a>
          <a href="/healthz">/healthz</a> <a href="/readyz">/readyz</a>
        </footer>
        </div>
        </body>
        """
}
