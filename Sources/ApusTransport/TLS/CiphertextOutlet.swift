// SPDX-License-Identifier: Apache-2.0

import ApusHTTP2

/// The way out of a TLS connection: what was encrypted is written at once, or kept while the stream below is busy.
///
/// TLS has things to say of its own (handshakes, KeyUpdate, alerts), whoever is allowed to write. Confined to its loop.
struct CiphertextOutlet {
    private let stream: any ConnectionIO
    private var backlog: [UInt8] = []
    /// Whether something has not left yet.
    private(set) var isBusy = false

    init(_ stream: any ConnectionIO) { self.stream = stream }

    /// Takes all of `ciphertext`.
    mutating func send(_ ciphertext: OutputBuffer) {
        guard !ciphertext.isEmpty else { return }
        if isBusy {
            backlog.append(contentsOf: ciphertext.remainder(from: 0))
            ciphertext.reset()
        } else {
            isBusy = !stream.write(ciphertext)
        }
    }

    /// The stream has written everything: the backlog follows, by way of `scratch`.
    mutating func drained(_ scratch: OutputBuffer) {
        isBusy = false
        guard !backlog.isEmpty else { return }
        backlog.withUnsafeBytes { scratch.append(copying: $0) }
        backlog = []
        send(scratch)
    }
}
