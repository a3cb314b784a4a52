// SPDX-License-Identifier: Apache-2.0

import ApusHTTP2
import ApusWire

// Requests that are no gRPC calls: a browser's, curl's, a health check's of a proxy.

extension ServerStream {
    /// Answers at once, or when the request ended.
    func reject(_ refusal: HTTPRefusal) {
        self.refusal = refusal
        if requestEnded || refusal.patience == 0 { sendRefusal() }
    }

    func countRefused(_ bytes: Int) {
        guard refusal != nil else { return }
        refusedBytes += bytes
        consume(bytes)
        if let refusal, refusedBytes >= refusal.patience { sendRefusal() }
    }

    func sendRefusal() {
        guard let refusal, !headSent, isOpen else { return }
        headSent = true
        refusalText = Array(refusal.text.utf8)[...]
        var block = HeaderBlock()
        refusal.write(to: &block)
        connection.session?.submitResponse(block, stream: self, end: refusalText.isEmpty)
        connection.touch()
    }

    func nextRefusalData(limit: Int) -> DataAnswer {
        limit < refusalText.count ? .bytes(limit) : .bytesAndEnd(refusalText.count)
    }

    func takeRefusal(_ count: Int, into output: OutputBuffer) {
        refusalText.prefix(count).withUnsafeBytes { output.append(copying: $0) }
        refusalText.removeFirst(count)
        guard refusalText.isEmpty else { return }
        endSent = true
        if !requestEnded, isOpen { connection.session?.reset(self, code: HTTP2ErrorCode.noError) }
    }
}
