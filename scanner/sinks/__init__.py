"""Where events go: files, webhooks, syslog, Splunk, OpenSearch; and the numbers for Prometheus."""
