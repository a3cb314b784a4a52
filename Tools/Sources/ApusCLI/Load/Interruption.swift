// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Ctrl-C that ends a run instead of the process; the second one ends the process.
final class Interruption {
    private let source: any DispatchSourceSignal

    /// Calls the action at the first SIGINT.
    init(_ action: @escaping @Sendable () -> Void) {
        signal(SIGINT, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler {
            signal(SIGINT, SIG_DFL)
            action()
        }
        source.resume()
    }

    /// From now on SIGINT ends the process again.
    func end() {
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }
}
