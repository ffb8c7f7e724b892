"""Azure as tests and a laptop know it: ARM types, resource-provider rules, an emulated subscription, its plugins."""
