// SPDX-License-Identifier: Apache-2.0

/// The file of a Unix domain socket that listens: removed at its end, if it is still the same one.
struct UnixSocketFile: Sendable {
    private let path: String
    private let identity: SystemCalls.FileIdentity

    /// The file that was just made; nil when it is gone.
    init?(path: String) {
        guard let identity = SystemCalls.identity(ofSocket: path) else { return nil }
        self.path = path
        self.identity = identity
    }

    /// Removes the file, unless somebody has put another one in its place.
    func remove() {
        if SystemCalls.identity(ofSocket: path) == identity { SystemCalls.remove(path) }
    }

    /// Makes way for a new socket: a file that a process left behind when it was killed is removed.
    ///
    /// Between the look and the removal another server may come: the look is repeated, which leaves microseconds.
    ///
    /// - Returns: what is in the way, or nil.
    static func clear(_ path: String, _ address: SocketAddress) -> String? {
        guard SystemCalls.exists(path) else { return nil }
        guard let identity = SystemCalls.identity(ofSocket: path) else { return "there is a file that is no socket" }
        switch SystemCalls.probe(address) {
        case .listens: return "address already in use"
        case .nobodyListens: break
        case .unknown(let reason): return "whether its socket is in use cannot be found out: \(reason)"
        }
        if SystemCalls.identity(ofSocket: path) == identity { SystemCalls.remove(path) }
        return nil
    }
}
