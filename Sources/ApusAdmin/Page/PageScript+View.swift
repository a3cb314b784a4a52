// SPDX-License-Identifier: Apache-2.0

extension AdminPage {
    /// How the page shows its data. Whatever comes from outside goes in as text, never as markup.
    static let viewScript = #"""
        const number = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
        const count = value => number.format(value);
        const some = (value, word) => `${count(value)} ${word}${value === 1 ? "" : "s"}`;
        const rate = value => (value >= 100 ? count(value) : value.toFixed(1)) + "/s";
        const percent = value => (value === null ? "–" : (100 * value).toFixed(1) + " %");
        function time(seconds) {
          if (seconds === null || seconds === undefined) return "–";
          if (seconds < 0.001) return count(seconds * 1e6) + " µs";
          if (seconds < 1) return (seconds * 1e3).toFixed(seconds < 0.1 ? 1 : 0) + " ms";
          return seconds < 100 ? seconds.toFixed(1) + " s" : age(seconds);
        }
        function age(seconds) {
          if (seconds < 100) return Math.round(seconds) + " s";
          if (seconds < 6000) return Math.round(seconds / 60) + " min";
          return seconds < 172800 ? Math.round(seconds / 3600) + " h" : Math.round(seconds / 86400) + " d";
        }

        function make(tag, attributes, ...content) {
          const element = document.createElement(tag);
          for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
          element.append(...content.flat().filter(one => one !== null && one !== ""));
          return element;
        }
        function draw(tag, attributes, ...content) {
          const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
          for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
          element.append(...content);
          return element;
        }

        function showLink(text, kind) {
          const link = byID("link");
          link.className = "tag " + kind;
          if (link.textContent !== text) link.textContent = text;
        }

        const figure = (name, value, kind) => make("div", {}, make("dt", {}, name), make("dd", kind ? { class: kind } : {}, value));

        function table(caption, heads, rows) {
          const cells = heads.map(head => make("th", { scope: "col", class: head.kind || "" }, head.name));
          return make("table", {}, caption ? make("caption", {}, caption) : "", make("thead", {}, make("tr", {}, cells)),
            make("tbody", {}, rows.map(row => make("tr", {}, row.map((cell, index) => make(index ? "td" : "th",
              Object.assign(index ? {} : { scope: "row" }, { class: heads[index].kind || "" }), cell))))));
        }

        const states = { READY: "good", CONNECTING: "warn", IDLE: "", TRANSIENT_FAILURE: "bad", SHUTDOWN: "" };
        const tag = (text, kind) => make("span", { class: "tag " + (kind || "") }, text);
        const words = state => state.toLowerCase().replaceAll("_", " ");

        function shareBar(value, fair) {
          if (value === null) return make("span", { class: "soft" }, "no calls");
          const full = Math.max(2 * (fair || 0.5), value);
          const fill = make("span", { class: "fill" }), bar = make("span", { class: "bar", "aria-hidden": "true" }, fill);
          fill.style.width = 100 * value / full + "%";
          if (fair !== null) {
            const tick = make("span", { class: "tick" });
            tick.style.left = 100 * fair / full + "%";
            bar.append(tick);
          }
          return make("span", { class: "share" }, bar, make("b", {}, percent(value)));
        }

        function endpointTable(service) {
          const { values, fair } = shares(service);
          const size = service.endpoints.filter(isUsable).length;
          const caption = fair === null ? "Instances" : `Instances and their shares; the mark is 1/${size} = ${percent(fair)}`;
          const heads = [{ name: "Instance" }, { name: "State" }, { name: "Share" }, { name: "In flight", kind: "number wide" },
                         { name: "Calls", kind: "number wide" }];
          const rows = service.endpoints.map((one, index) => {
            const about = Object.entries(one.metadata || {}).filter(([key]) => key !== "pid").map(([key, value]) => `${key} ${value}`);
            const state = one.ejected ? tag("ejected", "bad") : one.state ? tag(words(one.state), states[one.state]) : "";
            return [[make("span", { class: "mono" }, one.address), about.length ? make("span", { class: "small" }, about.join(" · ")) : ""],
                    [state], [shareBar(values[index], isUsable(one) ? fair : null)], [count(one.calls_in_flight || 0)], [count(one.picks)]];
          });
          return rows.length ? table(caption, heads, rows) : make("p", { class: "soft" }, "No instance is known.");
        }

        function histogram(buckets, bounds, title) {
          const first = buckets.findIndex(one => one > 0);
          const p = share => time(quantile(buckets, bounds, share));
          const caption = make("figcaption", {}, title + ": ", make("b", {}, p(0.5)), " median, ", make("b", {}, p(0.9)), " p90, ",
            make("b", {}, p(0.99)), " p99");
          if (first < 0) return make("figure", {}, make("figcaption", {}, title + ": no calls"));
          let last = buckets.length - 1;
          while (!buckets[last]) last -= 1;
          const low = Math.max(0, first - 1), high = Math.min(buckets.length - 1, last + 1), shown = buckets.slice(low, high + 1);
          const most = Math.max(...shown), width = 360 / shown.length;
          const chart = draw("svg", { viewBox: "0 0 360 100", role: "img", "aria-label": `Histogram of times, ${p(0.5)} median, ${p(0.99)} p99` },
            draw("line", { class: "base", x1: 0, x2: 360, y1: 80, y2: 80 }));
          const label = index => (index < bounds.length ? "≤ " + time(bounds[index]) : "> " + time(bounds[bounds.length - 1]));
          shown.forEach((one, index) => {
            const height = one ? Math.max(1.5, 74 * one / most) : 0;
            chart.append(draw("rect", { class: "column", x: index * width + 1, width: Math.max(1, width - 2), y: 80 - height, height, rx: 1.5 },
              draw("title", {}, `${label(low + index)}: ${count(one)}`)));
          });
          const middle = Math.floor((shown.length - 1) / 2);
          for (const [index, anchor] of [[0, "start"], [middle, "middle"], [shown.length - 1, "end"]]) {
            const x = anchor === "start" ? 0 : anchor === "end" ? 360 : (index + 0.5) * width;
            if (shown.length > 2 || anchor !== "middle") chart.append(draw("text", { x, y: 96, "text-anchor": anchor }, label(low + index)));
          }
          return make("figure", {}, caption, chart);
        }

        function codes(now, all) {
          const entries = Object.entries(all).filter(([code]) => code !== "OK").sort((a, b) => b[1] - a[1]);
          if (!entries.length) return make("p", { class: "soft" }, "No errors.");
          return make("ul", { class: "codes" }, entries.map(([code, value]) => make("li", {}, make("span", { class: now[code] ? "bad" : "" }, code), " ",
            make("b", {}, count(value)), now[code] ? make("span", { class: "soft" }, ` (${count(now[code])} lately)`) : "")));
        }

        function breakers(list) {
          if (!list.length) return "";
          const open = list.filter(one => one.state !== "closed");
          if (!open.length) return make("p", { class: "soft" }, `All ${count(list.length)} breakers that ever opened are closed.`);
          return make("ul", { class: "codes" }, open.map(one => make("li", {}, tag(one.state, one.state === "open" ? "bad" : "warn"), " ",
            make("span", { class: "mono" }, [one.endpoint, one.method].filter(Boolean).join(" ") || one.breaker))));
        }

        function methodTable(caption, methods) {
          const heads = [{ name: "Method" }, { name: "Calls", kind: "number" }, { name: "Errors", kind: "number" },
                         { name: "Median", kind: "number wide" }, { name: "p99", kind: "number" }];
          return table(caption, heads, methods.map(one => [[make("span", { class: "mono" }, one.method)], [count(one.calls)],
            [make("span", one.errors ? { class: "bad" } : {}, count(one.errors))], [time(one.p50)], [time(one.p99)]]));
        }

        const cards = new Map();
        function card(name) {
          if (cards.has(name)) return cards.get(name);
          const parts = { title: make("h3", {}, name), state: make("span"), figures: make("dl", { class: "figures" }),
            endpoints: make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Instances of ${name}` }),
            times: make("div"), codes: make("div"), breakers: make("div"), methods: make("div", { class: "scroll" }) };
          parts.whole = make("article", { class: "card" }, make("div", { class: "head" }, parts.title, parts.state), parts.figures,
            make("div", { class: "split" }, make("div", {}, parts.endpoints),
              make("div", {}, parts.times, make("h4", {}, "Errors"), parts.codes, parts.breakers)),
            make("details", {}, make("summary", {}, "Methods"), parts.methods));
          cards.set(name, parts);
          return parts;
        }

        function showService(service, bounds) {
          const parts = card(service.name), now = recent(service, "services");
          parts.state.replaceChildren(service.state ? tag(words(service.state), states[service.state]) : "");
          parts.figures.replaceChildren(figure("Calls", rate(now.rate)), figure("Errors", percent(now.calls ? now.errors / now.calls : 0), now.errors ? "bad" : ""),
            figure("Median", time(quantile(now.buckets, bounds, 0.5))), figure("p99", time(quantile(now.buckets, bounds, 0.99))),
            figure("Retries", rate(now.retries / Math.max(now.seconds, 0.001)), now.retries ? "warn" : ""), figure("Calls in all", count(service.calls)));
          parts.endpoints.replaceChildren(endpointTable(service));
          parts.times.replaceChildren(histogram(now.buckets, bounds, "Time of calls"));
          parts.codes.replaceChildren(codes(now.statuses, service.statuses));
          parts.breakers.replaceChildren(breakers(service.breakers));
          parts.methods.replaceChildren(methodTable("", service.methods));
          return parts.whole;
        }

        function callItem(call) {
          const status = tag(call.status === "OK" ? time(call.seconds) : call.status, call.status === "OK" ? "warn" : "bad");
          const facts = [call.status === "OK" ? "" : time(call.seconds), call.side === "server" ? "from " + call.peer : call.peer && "to " + call.peer, call.attempts > 1 ? `${call.attempts} attempts` : "",
            call.side === "server" ? "served" : call.service, age(call.age) + " ago"].filter(Boolean).join(" · ");
          return make("li", {}, make("div", { class: "row" }, status, make("span", { class: "mono" }, call.method)),
            call.message ? make("p", {}, call.message) : "", make("span", { class: "small" }, facts),
            call.tries.length ? make("ol", { class: "tries", "aria-label": "Attempts" }, call.tries.map(one => make("li", {},
              [one.status, one.peer, time(one.seconds), one.message].filter(Boolean).join(" · ")))) : "");
        }

        const list = (id, items, nothing) => byID(id).replaceChildren(...(items.length ? items : [make("li", { class: "soft" }, nothing)]));

        function showTraffic(name) {
          const points = traffic(name), now = snapshots[snapshots.length - 1].uptime, most = Math.max(1, ...points.map(one => one.calls));
          const title = name === "services" ? "Calls made" : "Calls served";
          if (points.length < 2) return byID("traffic").replaceChildren();
          const length = now - points[0].at, x = one => (1000 * (1 - (now - one.at) / length)).toFixed(1), y = value => (88 - 80 * value / most).toFixed(1);
          const path = key => "M" + points.map(one => x(one) + "," + y(one[key])).join("L");
          const chart = draw("svg", { viewBox: "0 0 1000 90", preserveAspectRatio: "none", height: 90, role: "img",
                                      "aria-label": `${title} each second, ${count(most)} at most` },
            draw("path", { class: "area", d: `${path("calls")}L${x(points[points.length - 1])},89L${x(points[0])},89Z` }),
            draw("path", { class: "line", d: path("calls"), "vector-effect": "non-scaling-stroke" }));
          if (points.some(one => one.errors > 0)) chart.append(draw("path", { class: "errors", d: path("errors"), "vector-effect": "non-scaling-stroke" }));
          byID("traffic").replaceChildren(make("figcaption", {}, `${title} in ${age(length)}, `, make("b", {}, rate(most)), " at most",
            points.some(one => one.errors > 0) ? "; errors in red" : ""), chart);
        }

        function show(snapshot) {
          if (byID("policies").open) loadPolicies();
          const { services, served, bounds } = snapshot, main = services.some(one => one.calls) || !served.length ? "services" : "served";
          const now = (main === "services" ? services : served).map(one => recent(one, main));
          const sum = key => now.reduce((all, one) => all + one[key], 0);
          const buckets = bounds.map((_, index) => now.reduce((all, one) => all + one.buckets[index], 0));
          buckets.push(now.reduce((all, one) => all + one.buckets[bounds.length], 0));
          const ready = byID("ready");
          ready.className = "tag " + (snapshot.ready ? "good" : "bad");
          ready.textContent = snapshot.ready ? "ready" : "not ready";
          byID("uptime").textContent = "up " + age(snapshot.uptime);
          byID("totals").replaceChildren(figure(main === "services" ? "Calls made" : "Calls served", rate(sum("rate"))),
            figure("Errors", percent(sum("calls") ? sum("errors") / sum("calls") : 0), sum("errors") ? "bad" : ""),
            figure("Median", time(quantile(buckets, bounds, 0.5))), figure("p99", time(quantile(buckets, bounds, 0.99))),
            figure("Retries", count(sum("retries")), sum("retries") ? "warn" : ""),
            figure("Slowest loop", time(Math.max(0, ...snapshot.loops.map(one => one.lag)))));
          showTraffic(main);
          byID("services").hidden = !services.length;
          const articles = services.map(one => showService(one, bounds)), place = byID("service-list");
          if (articles.length !== place.children.length || articles.some((one, index) => one !== place.children[index])) place.replaceChildren(...articles);
          byID("served").hidden = !served.length;
          byID("served-table").replaceChildren(methodTable("", served));
          const failed = snapshot.calls.failed.concat(snapshot.calls.refused).sort((a, b) => a.age - b.age).slice(0, 8);
          list("failed", failed.map(callItem), "None.");
          const notable = snapshot.calls.slow.concat(snapshot.calls.retried).sort((a, b) => a.age - b.age).slice(0, 8);
          list("slow", notable.map(callItem), "None.");
          list("events", snapshot.events.map(one => make("li", {}, make("div", { class: "row" }, make("time", {}, age(one.age) + " ago"),
            make("p", one.warning ? { class: "warn" } : {}, one.text + (one.count > 1 ? ` (${count(one.count)} times)` : ""))))), "None yet.");
          byID("loops").replaceChildren(table("Event loops", [{ name: "Loop" }, { name: "Lag", kind: "number" }, { name: "Connections", kind: "number" },
            { name: "Calls", kind: "number" }], snapshot.loops.map(one => [[String(one.loop)],
            [make("span", one.lag > 0.1 ? { class: "bad" } : {}, time(one.lag))], [count(one.connections)], [count(one.streams)]])));
          byID("servers").replaceChildren(...snapshot.servers.map(one => make("p", {}, make("span", { class: "mono" }, one.addresses.join(", ")),
            make("span", { class: "small" }, `${one.services.join(", ")}: ${some(one.connections, "connection")}, ${some(one.handlers, "running handler")}, ` +
              `${some(one.calls, "call")}, ${count(one.refused)} refused` + (one.stopping ? ", stopping" : "")))));
        }

        byID("pause").addEventListener("click", () => {
          isPaused = !isPaused;
          byID("pause").setAttribute("aria-pressed", String(isPaused));
          showLink(isPaused ? "paused" : "live", isPaused ? "warn" : "good");
          if (!isPaused && snapshots.length) show(snapshots[snapshots.length - 1]);
        });
        byID("login").addEventListener("submit", event => {
          event.preventDefault();
          token = byID("token").value;
          byID("token").value = "";
          connect();
        });
        if (document.documentElement.dataset.token === undefined) connect(); else ask("");
        """#
}
