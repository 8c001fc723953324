# What crosses folders.
dist_noinst_DATA += \
	docs/add-a-driver.md \
	docs/add-a-machine.md \
	docs/add-a-service.md \
	docs/add-a-system-call.md \
	docs/architecture.md \
	docs/glossary.md \
	docs/hal-contract.md \
	docs/security.md
