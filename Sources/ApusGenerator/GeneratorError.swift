// SPDX-License-Identifier: Apache-2.0

/// Why nothing is generated: one line for the user of protoc.
struct GeneratorError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
