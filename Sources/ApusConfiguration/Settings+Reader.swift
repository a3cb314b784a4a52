// SPDX-License-Identifier: Apache-2.0

#if Configuration
    public import Apus
    public import ApusAdmin
    public import ApusOTLP
    public import Configuration

    // The same for programs that have a reader of their own.

    extension ListenSettings {
        /// What a reader says; see ``init(configuration:)``.
        public init(configuration: ConfigReader) throws(SettingsError) {
            try self.init(configuration: Settings(configuration))
        }
    }

    extension ServerOptions {
        /// What a reader says; see ``init(configuration:)``.
        public init(configuration: ConfigReader) throws(SettingsError) {
            try self.init(configuration: Settings(configuration))
        }
    }

    extension TransportOptions {
        /// What a reader says; see ``init(configuration:)``.
        public init(configuration: ConfigReader) throws(SettingsError) {
            try self.init(configuration: Settings(configuration))
        }
    }

    extension DefaultStack {
        /// What a reader says; see ``init(configuration:)``.
        public init(configuration: ConfigReader) throws(SettingsError) {
            try self.init(configuration: Settings(configuration))
        }
    }

    extension AdminOptions {
        /// What a reader says; see ``init(configuration:)``.
        public init(configuration: ConfigReader) throws(SettingsError) {
            try self.init(configuration: Settings(configuration))
        }
    }

    extension OTLPOptions {
        /// What a reader says; see ``init(configuration:)``.
        public init(configuration: ConfigReader) throws(SettingsError) {
            try self.init(configuration: Settings(configuration))
        }
    }
#endif
