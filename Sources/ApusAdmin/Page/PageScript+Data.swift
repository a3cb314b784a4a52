// SPDX-License-Identifier: Apache-2.0

extension AdminPage {
    /// Where the page's data come from, and what becomes of them: rates and times of the last minute.
    static let dataScript = #"""
        "use strict";
        const byID = id => document.getElementById(id);
        const pause = ms => new Promise(done => setTimeout(done, ms));
        const snapshots = [];
        const span = 60;
        let token = null, isPaused = false, isListening = false;

        // One listener a tab, however often it is asked for.
        function connect() {
          if (isListening) return;
          isListening = true;
          listen().finally(() => { isListening = false; });
        }

        // A token lives as long as the tab, in memory alone: reloading asks again.
        async function listen() {
          let wait = 500;
          for (;;) {
            const stop = new AbortController();
            let watch = setTimeout(() => stop.abort(), 8000);
            try {
              const headers = token ? { Authorization: "Bearer " + token } : {};
              const answer = await fetch("/events", { headers, cache: "no-store", signal: stop.signal });
              if (answer.status === 401) return ask(token ? "That is not the token." : "");
              if (!answer.ok) throw new Error(answer.status === 503 ? "busy" : "refused");
              hideLogin();
              const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
              let rest = "";
              for (;;) {
                const { value, done } = await reader.read();
                if (done) break;
                // Nothing for some seconds: the process is gone or held.
                clearTimeout(watch);
                watch = setTimeout(() => stop.abort(), 8000);
                wait = 500;
                const events = (rest + value).split("\n\n");
                rest = events.pop();
                for (const event of events) receive(event);
              }
              showLink("reconnecting", "warn");
            } catch (error) {
              showLink(error.message === "busy" ? "too many readers, waiting" : "no answer, trying again", "bad");
            } finally {
              clearTimeout(watch);
            }
            await pause(wait);
            wait = Math.min(wait * 2, 8000);
          }
        }

        function receive(event) {
          const text = event.split("\n").filter(line => line.startsWith("data: ")).map(line => line.slice(6)).join("\n");
          if (!text) return;
          const snapshot = JSON.parse(text);
          const label = one => ((one.metadata || {}).instance || "") + " " + one.address;
          for (const service of snapshot.services) service.endpoints.sort((a, b) => label(a).localeCompare(label(b), "en", { numeric: true }));
          const last = snapshots[snapshots.length - 1];
          // The process was started anew.
          if (last && snapshot.uptime < last.uptime) snapshots.length = 0;
          snapshots.push(snapshot);
          while (snapshots[0].uptime < snapshot.uptime - 2 * span) snapshots.shift();
          showLink(isPaused ? "paused" : "live", isPaused ? "warn" : "good");
          if (!isPaused) show(snapshot);
        }

        function ask(problem) {
          byID("main").hidden = true;
          byID("login").hidden = false;
          byID("wrong").textContent = problem;
          byID("links").hidden = true;
          showLink("locked", "warn");
          byID("token").focus();
        }

        function hideLogin() { byID("login").hidden = true; byID("main").hidden = false; }

        // Snapshots of the last minute in which `same` held without a break, the oldest first.
        function lately(same) {
          let first = snapshots.length - 1;
          const now = snapshots[first];
          while (first > 0 && now.uptime - snapshots[first - 1].uptime <= span && same(snapshots[first - 1])) first -= 1;
          return { first: snapshots[first], seconds: now.uptime - snapshots[first].uptime };
        }

        const find = (list, key, value) => (list || []).find(entry => entry[key] === value);

        // What a service did within the window; since the start, while there is but one snapshot.
        function recent(service, list) {
          const { first, seconds } = lately(() => true);
          const old = seconds > 0 ? find(first[list], list === "served" ? "method" : "name", service.name || service.method) : null;
          const before = key => (old ? old[key] || 0 : 0);
          const buckets = service.buckets.map((count, index) => count - (old ? old.buckets[index] : 0));
          const statuses = {};
          for (const [code, count] of Object.entries(service.statuses)) {
            const rest = count - (old ? old.statuses[code] || 0 : 0);
            if (rest > 0 && code !== "OK") statuses[code] = rest;
          }
          const time = seconds > 0 ? seconds : snapshots[snapshots.length - 1].uptime;
          const calls = service.calls - before("calls");
          const errors = service.errors - before("errors");
          return { calls, errors, buckets, statuses, seconds: time, rate: calls / Math.max(time, 0.001),
                   retries: (service.retries || 0) - before("retries") };
        }

        const isUsable = endpoint => !endpoint.ejected && endpoint.state !== "TRANSIENT_FAILURE" && endpoint.state !== "SHUTDOWN";
        const usable = service => (service ? service.endpoints : []).filter(isUsable).map(one => one.address).join(" ");

        // Each endpoint's share of the calls since the endpoints that can be called are these.
        function shares(service) {
          const now = usable(service);
          const { first, seconds } = lately(snapshot => usable(find(snapshot.services, "name", service.name)) === now);
          const old = seconds > 0 ? find(first.services, "name", service.name) : null;
          const counts = service.endpoints.map(one => {
            const before = old ? find(old.endpoints, "address", one.address) : null;
            return one.picks - (before ? before.picks : 0);
          });
          const all = counts.reduce((sum, count) => sum + count, 0);
          const count = service.endpoints.filter(isUsable).length;
          return { values: counts.map(one => (all > 0 ? one / all : null)), fair: count > 0 ? 1 / count : null };
        }

        function quantile(buckets, bounds, share) {
          let rest = share * buckets.reduce((sum, count) => sum + count, 0);
          if (!rest) return null;
          for (let index = 0; index < buckets.length; index += 1) {
            if (!buckets[index] || rest > buckets[index]) { rest -= buckets[index]; continue; }
            const low = index ? bounds[index - 1] : 0, high = index < bounds.length ? bounds[index] : low;
            return low + (high - low) * rest / buckets[index];
          }
          return bounds[bounds.length - 1];
        }

        // Calls and errors a second, between each snapshot and the next.
        function traffic(list) {
          const sum = (snapshot, key) => snapshot[list].reduce((all, one) => all + one[key], 0);
          return snapshots.slice(1).map((snapshot, index) => {
            const before = snapshots[index], time = Math.max(snapshot.uptime - before.uptime, 0.001);
            const rate = key => Math.max(0, sum(snapshot, key) - sum(before, key)) / time;
            return { at: snapshot.uptime, calls: rate("calls"), errors: rate("errors") };
          });
        }

        """#
}
