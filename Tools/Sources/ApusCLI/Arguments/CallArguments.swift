// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser

/// What goes with each call.
struct CallArguments: ParsableArguments {
    @Option(
        name: [.customShort("H"), .customLong("header")],
        help: ArgumentHelp(
            "Metadata; may be repeated. Values of keys that end in -bin are base64.", valueName: "key: value"))
    var headers: [HeaderArgument] = []
    @Option(
        help: ArgumentHelp("The time for the call with all its tries, such as 500ms or 2m.", valueName: "time"))
    var timeout: TimeArgument?

    /// The options of a call.
    ///
    /// - Parameter standard: the time when none is given.
    func options(standard: Duration? = nil) -> CallOptions {
        CallOptions(timeout: timeout?.duration ?? standard, metadata: Metadata(headers))
    }
}
