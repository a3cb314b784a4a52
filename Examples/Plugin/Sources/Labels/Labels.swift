// SPDX-License-Identifier: Apache-2.0

extension Label {
    /// A label with this text.
    public init(_ text: String) { self.init(text: text) }
}
