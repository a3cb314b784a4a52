// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// A token that says who one is, and for how long.
public struct AccessToken: Sendable, Hashable {
    /// What goes behind `Bearer`.
    public var value: String
    /// How long it is good from the moment at which it was got; nil for ever.
    public var lifetime: Duration?

    /// A token.
    public init(_ value: String, lifetime: Duration? = nil) {
        self.value = value
        self.lifetime = lifetime
    }
}

/// When a token is used, and when another one is asked for. Pure: time is an argument.
struct TokenCourse: Sendable {
    /// What a call does.
    enum Answer: Sendable {
        /// It uses the token.
        case use(String)
        /// It uses the token, and asks for the next one meanwhile: this one ends soon.
        case useAndRefresh(String)
        /// It waits for one that it has to ask for.
        case refresh
        /// It waits for one that another call has asked for.
        case wait
        /// It fails: the last question failed a moment ago.
        case fail(RPCError)
    }

    /// A token with less time left than this, or than a fifth of its lifetime, is replaced while it is still good.
    static let margin = Duration.seconds(60)
    /// After a question that failed nobody asks again for so long.
    static let pause = Duration.seconds(1)

    private var token: (value: String, got: MonotonicInstant, ends: MonotonicInstant?, refreshAt: MonotonicInstant?)?
    private var isAsking = false
    private var failure: (error: RPCError, until: MonotonicInstant)?

    /// What a call does that needs a token now.
    mutating func next(at now: MonotonicInstant) -> Answer {
        let mayAsk = !isAsking && failure.map { now >= $0.until } != false
        if let token, token.ends.map({ now < $0 }) != false {
            guard let refreshAt = token.refreshAt, now >= refreshAt, mayAsk else { return .use(token.value) }
            isAsking = true
            return .useAndRefresh(token.value)
        }
        if isAsking { return .wait }
        if !mayAsk, let failure { return .fail(failure.error) }
        isAsking = true
        return .refresh
    }

    /// The question was answered.
    mutating func got(_ new: AccessToken, at now: MonotonicInstant) {
        guard let lifetime = new.lifetime else {
            (isAsking, failure, token) = (false, nil, (new.value, now, nil, nil))
            return
        }
        guard lifetime > .zero else {
            return failed(
                RPCError(.unauthenticated, "an access token without any time left", progress: .notConnected), at: now)
        }
        let early = min(Self.margin, lifetime / 5)
        (isAsking, failure) = (false, nil)
        token = (new.value, now, now.advanced(by: lifetime), now.advanced(by: lifetime - early))
    }

    /// The question failed: a token that is still good stays.
    mutating func failed(_ error: RPCError, at now: MonotonicInstant) {
        isAsking = false
        failure = (error, now.advanced(by: Self.pause))
    }

    /// A server did not take this token: it is not used again. One that was got a moment ago is kept: with the next one
    /// it would hardly be otherwise, and who gives tokens is not to be asked for each call.
    mutating func refused(_ value: String, at now: MonotonicInstant) {
        guard let token, token.value == value, now >= token.got.advanced(by: Self.pause) else { return }
        self.token = nil
    }
}
