// SPDX-License-Identifier: Apache-2.0

#if Configuration
    import Apus

    extension SettingForm<BufferBudget> {
        /// A budget of its own with so many bytes, or the process' own for `none`.
        static var budget: SettingForm {
            let bytes = SettingForm<Int>.bytes(1 << 20...Int.max)
            return SettingForm(expected: "\(bytes.expected), or none", examples: bytes.examples) { text in
                text == "none" ? .shared : bytes.read(text).map { BufferBudget(limit: $0) }
            } write: { budget in
                budget === BufferBudget.shared ? "none" : bytes.write(budget.limit)
            }
        }
    }

    extension SettingForm<ProxyPolicy> {
        /// Two words, or a proxy's URL. A value that is shown has no password.
        static var proxy: SettingForm {
            SettingForm(expected: "environment or direct or a proxy's URL", examples: "http://user:word@proxy:3128") {
                text in
                switch text {
                case "environment": .environment
                case "direct", "none": .direct
                default: (try? HTTPProxy(text)).map { .through($0) }
                }
            } write: { policy in
                switch policy {
                case .environment: "environment"
                case .direct: "direct"
                case .through(let proxy): "http://\(proxy.address)"
                }
            }
        }
    }
#endif
