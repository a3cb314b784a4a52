// SPDX-License-Identifier: Apache-2.0

extension Resource {
    /// What the process is, by the options of its exporters, in the order of the keys.
    init(of options: OTLPOptions) {
        let attributes = options.resource.sorted { $0.key < $1.key }
        self.init(attributes: attributes.map { KeyValue($0.key, $0.value) })
    }
}
