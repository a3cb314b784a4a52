// SPDX-License-Identifier: Apache-2.0

extension AdminPage {
    /// How the page looks, in light and in dark, on a wide screen and on a phone.
    static let style = """
        :root {
          --ground: #f7f7f4; --card: #ffffff; --line: #e3e3dd; --text: #1b1d20; --soft: #62666d;
          --accent: #1f5fbf; --accent-soft: #d5e3f7; --good: #1a7a43; --warn: #955800; --bad: #b8261d;
          --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ground: #131519; --card: #1b1e24; --line: #2d323b; --text: #e7e9ec; --soft: #9aa1ac;
            --accent: #79aaf5; --accent-soft: #26364f; --good: #62c98c; --warn: #e5a84b; --bad: #ff8178;
          }
        }
        * { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; }
        body {
          margin: 0; background: var(--ground); color: var(--text);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
          font-variant-numeric: tabular-nums;
        }
        .page { max-width: 1120px; margin: 0 auto; padding: 0 20px 48px; }
        a { color: var(--accent); text-underline-offset: 3px; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
        .skip { position: absolute; left: -9999px; }
        .skip:focus { left: 12px; top: 12px; background: var(--card); padding: 8px 12px; z-index: 1; }
        [hidden] { display: none !important; }

        header { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; padding: 22px 0 18px; }
        h1 { font-size: 22px; line-height: 1.2; letter-spacing: -0.01em; margin: 0; }
        h2 { font-size: 13px; font-weight: 600; color: var(--soft); margin: 34px 0 10px; }
        h3 { font-size: 18px; line-height: 1.3; margin: 0; overflow-wrap: anywhere; }
        h4 { font-size: 13px; font-weight: 600; color: var(--soft); margin: 0 0 6px; }
        p { margin: 0; }
        .soft { color: var(--soft); }
        .grow { flex: 1 1 auto; }
        button, input {
          font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line);
          border-radius: 8px; padding: 5px 12px; min-height: 34px;
        }
        button { cursor: pointer; }
        button[aria-pressed="true"] { background: var(--accent-soft); border-color: var(--accent); }

        .card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px; }
        .card + .card { margin-top: 14px; }
        .head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 12px; margin-bottom: 14px; }
        .split { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 24px 32px; }
        .split > *, .pair > * { min-width: 0; }
        .pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 14px; }
        .pair .card + .card { margin-top: 0; }

        .figures { display: flex; flex-wrap: wrap; gap: 12px 36px; margin: 0; }
        .figures div { min-width: 74px; }
        dt { font-size: 13px; color: var(--soft); }
        dd { margin: 0; font-size: 24px; line-height: 1.25; font-weight: 600; letter-spacing: -0.01em; }
        #traffic { margin: 20px 0 0; }
        #traffic svg { height: 90px; }
        .card .figures { margin-bottom: 18px; }
        .card .figures dd { font-size: 19px; }

        .tag { font-size: 12.5px; font-weight: 600; white-space: nowrap; color: var(--soft); }
        .tag::before { content: ""; display: inline-block; width: 8px; height: 8px; border-radius: 50%;
          background: currentColor; margin-right: 6px; }
        .good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }

        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: 14px; }
        caption { text-align: left; font-size: 13px; font-weight: 600; color: var(--soft); padding-bottom: 4px; }
        th, td { text-align: left; padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
        th:last-child, td:last-child { padding-right: 0; }
        tbody tr:last-child > * { border-bottom: 0; }
        thead th { font-size: 12.5px; font-weight: 500; color: var(--soft); white-space: nowrap; }
        tbody th { font-weight: 500; }
        .number { text-align: right; white-space: nowrap; }
        .mono { font-family: var(--mono); font-size: 13px; overflow-wrap: anywhere; }
        .small { display: block; font-size: 12.5px; color: var(--soft); overflow-wrap: anywhere; }

        .share { display: flex; align-items: center; gap: 10px; min-width: 170px; }
        .bar { position: relative; flex: 1; height: 10px; border-radius: 5px; background: var(--accent-soft); }
        .fill { display: block; height: 100%; border-radius: 5px; background: var(--accent); }
        .tick { position: absolute; top: -3px; bottom: -3px; width: 2px; margin-left: -1px; background: var(--text); }
        .share b { font-weight: 500; min-width: 52px; text-align: right; }

        figure { margin: 0 0 16px; }
        figcaption { font-size: 13px; color: var(--soft); margin-bottom: 6px; }
        figcaption b { color: var(--text); font-weight: 600; }
        svg { display: block; width: 100%; height: auto; overflow: visible; }
        svg text { font-size: 11px; fill: var(--soft); }
        .column { fill: var(--accent); } .base { stroke: var(--line); }
        .area { fill: var(--accent-soft); } .line { fill: none; stroke: var(--accent); stroke-width: 1.75; }
        .errors { fill: none; stroke: var(--bad); stroke-width: 1.75; }

        .codes { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 0 0 14px; padding: 0; }
        .codes b { font-weight: 600; }
        details { margin-top: 12px; }
        #policies { margin-top: 0; padding-top: 10px; padding-bottom: 10px; }
        #policy-list > * { margin: 14px 0 0; }
        #policy-list .codes { margin: 0; }
        #policy-list .codes li, #policy-list caption { overflow-wrap: anywhere; }
        summary { cursor: pointer; color: var(--accent); font-size: 14px; padding: 4px 0; }
        .calls, .events { list-style: none; margin: 0; padding: 0; }
        .calls > li, .events > li { padding: 9px 0; border-bottom: 1px solid var(--line); }
        .calls > li:last-child, .events > li:last-child { border-bottom: 0; }
        .row { display: flex; flex-wrap: wrap; gap: 0 12px; align-items: baseline; }
        .tries { margin: 4px 0 0; padding-left: 22px; color: var(--soft); font-size: 13px; }
        .events time { color: var(--soft); font-size: 13px; min-width: 76px; }
        .events .row { flex-wrap: nowrap; }
        .events p, .calls p { overflow-wrap: anywhere; min-width: 0; }
        #servers p { margin-top: 12px; }
        form { display: flex; flex-wrap: wrap; gap: 10px; align-items: end; margin: 12px 0; }
        footer { margin-top: 36px; color: var(--soft); font-size: 14px; display: flex; flex-wrap: wrap; gap: 4px 18px; }

        @media (max-width: 760px) {
          .page { padding: 0 14px 40px; }
          .split, .pair { grid-template-columns: minmax(0, 1fr); }
          .card { padding: 15px 14px; }
          .wide { display: none; }
          header { gap: 8px 12px; }
          .figures { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 10px 12px; }
          .figures div { min-width: 0; }
          dd { font-size: 21px; }
          .share { min-width: 124px; gap: 6px; }
          th, td { padding-right: 10px; }
        }
        @media (prefers-reduced-motion: no-preference) { .fill { transition: width 0.3s; } }
        """
}
