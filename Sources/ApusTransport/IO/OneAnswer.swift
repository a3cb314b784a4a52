// SPDX-License-Identifier: Apache-2.0

/// What somebody waits for who makes a connection: it comes once, or never when it was cancelled before. Loop only.
final class OneAnswer<Value> {
    typealias Handler = (Result<Value, ConnectFailure>) -> Void

    private var handler: Handler?

    init(_ handler: @escaping Handler) { self.handler = handler }

    /// Whether somebody still waits.
    var isAwaited: Bool { handler != nil }

    /// Answers; the first time only.
    func give(_ result: Result<Value, ConnectFailure>) {
        // Let go first: whoever hears of it may cancel.
        let handler = handler
        self.handler = nil
        handler?(result)
    }

    /// Answers that there is none, and why.
    func fail(_ reason: String) { give(.failure(ConnectFailure(reason: reason))) }

    /// Nobody waits any more.
    func cancel() { handler = nil }
}
