// SPDX-License-Identifier: Apache-2.0

/// The page: one file without anything from elsewhere. It holds no data; those come by `/events`.
enum AdminPage {
    /// - Parameter asksForToken: whether the page first asks its reader for the token, which it keeps for the tab alone.
    static func answer(asksForToken: Bool) -> AdminAnswer {
        var random = SystemRandomNumberGenerator()
        let nonce = String(random.next(), radix: 16) + String(random.next(), radix: 16)
        return AdminAnswer(
            .ok, html(nonce: nonce, asksForToken: asksForToken), contentType: "text/html; charset=utf-8",
            fields: [
                "Content-Security-Policy": policy(nonce), "Cross-Origin-Opener-Policy": "same-origin",
                "X-Frame-Options": "DENY",
            ])
    }

    // Only what this answer brings is run or used as style, and nothing is asked of anybody else.
    private static func policy(_ nonce: String) -> String {
        "default-src 'none'; script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'; connect-src 'self'; "
            + "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    }

    private static func html(nonce: String, asksForToken: Bool) -> String {
        """
        <!DOCTYPE html>
        <html lang="en"\(asksForToken ? " data-token" : "")>
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Apus admin</title>
        <link rel="icon" href="data:,">
        <style nonce="\(nonce)">\(style)</style>
        </head>
        \(markup)
        <script nonce="\(nonce)">\(dataScript)\(policiesScript)\(viewScript)</script>
        </html>

        """
    }
}
