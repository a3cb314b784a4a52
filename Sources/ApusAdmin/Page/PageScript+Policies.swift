// SPDX-License-Identifier: Apache-2.0

extension AdminPage {
    /// How the page shows the policies in force: asked for while somebody looks at them, which is seldom.
    static let policiesScript = #"""
        const policies = { text: "", asked: -Infinity, every: 5000 };

        function policyTable(caption, rows) {
          const places = new Map();
          for (const row of rows) places.set(row.place, [...(places.get(row.place) || []), row]);
          const cells = [...places.values()].map(all => {
            const values = all.filter(row => row.setting !== null).map(row =>
              make("li", {}, make("span", { class: "soft" }, row.setting), " ", make("span", { class: "mono" }, row.value)));
            return [[all[0].policy], [values.length ? make("ul", { class: "codes" }, values) : ""]];
          });
          if (!cells.length) return make("p", { class: "soft" }, `${caption}: no policies.`);
          return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
            table(caption, [{ name: "Policy, outermost first" }, { name: "Values" }], cells));
        }

        function configNote(config) {
          if (!config) return "";
          const source = config.source === null ? "No service config is in force." : `The service config of ${config.source} is in force.`;
          return make("p", { class: "small" }, source, config.refused === null ? "" : make("span", { class: "bad" }, ` The last one was refused: ${config.refused}`));
        }

        function showPolicies(config) {
          const channels = config.channels.flatMap(one => [policyTable(`Channel ${one.name}`, one.policies), configNote(one.service_config)]);
          const servers = config.servers.map(one => policyTable(`Server ${one.addresses.join(", ")}`, one.policies));
          const all = channels.concat(servers).filter(one => one !== "");
          byID("policy-list").replaceChildren(...(all.length ? all : [make("p", { class: "soft" }, "No channel or server is known.")]));
        }

        async function loadPolicies() {
          if (performance.now() - policies.asked < policies.every) return;
          policies.asked = performance.now();
          try {
            const headers = token ? { Authorization: "Bearer " + token } : {};
            const answer = await fetch("/config.json", { headers, cache: "no-store" });
            const text = await answer.text();
            // What has not changed stays, with what the reader has marked in it.
            if (!answer.ok || text === policies.text) return;
            showPolicies(JSON.parse(text));
            policies.text = text;
          } catch (error) {
            // The page's link says that nobody answers; the next snapshot asks again.
          }
        }

        byID("policies").addEventListener("toggle", () => { if (byID("policies").open) loadPolicies(); });
        """#
}
